import { describe, expect, test } from 'vitest';
import { type CheckDependencies, check } from '../../../src/cli/check.ts';
import { type Diagnostic, diagnosticAt } from '../../../src/config/config-error.ts';
import { configFromObject } from '../../../src/config/load.ts';

const GOOD = {
  listeners: { web: { port: 0 } },
  pools: { a: { endpoints: ['h:1'] } },
  routes: [{ pool: 'a' }, { respond: {} }],
};
const BAD = { routes: [{ pool: 'a' }] };

interface Run {
  readonly input: unknown;
  readonly json?: boolean;
  /** What the compiler finds wrong in what loads. */
  readonly found?: readonly Diagnostic[];
}

async function run({ input, json = false, found = [] }: Run) {
  const told = { stdout: '', stderr: '' };
  const deps: CheckDependencies = {
    load: () => configFromObject(input),
    mistakesIn: (loaded) => (loaded.ok ? found : loaded.diagnostics),
    stdout: { write: (text) => (told.stdout += text) },
    stderr: { write: (text) => (told.stderr += text) },
  };
  const code = await check({ path: 'routes', json }, deps);
  return { ...told, code };
}

describe('headgate check', () => {
  test('says what a valid configuration holds', async () => {
    expect(await run({ input: GOOD })).toEqual({
      code: 0,
      stdout: 'routes is valid: 1 listener, 1 pool, 2 routes in 1 file\n',
      stderr: '',
    });
  });

  test('says it to programs too', async () => {
    const { code, stdout } = await run({ input: GOOD, json: true });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ok: true, files: 1, listeners: 1, pools: 1, routes: 2 });
  });

  test('ends with 78 and every mistake on standard error', async () => {
    expect(await run({ input: BAD })).toEqual({
      code: 78,
      stdout: '',
      stderr: `error[HG0103]: pool “a” does not exist
 ╭─▸ <inline>:2:11
1 │ routes:
2 │   - pool: a
  │           ^ no pool is defined
1 error.
`,
    });
  });

  test('ends with 78 when the configuration loads, but can’t work', async () => {
    const place = { file: '<inline>', line: 8, column: 5, length: 4 };
    const found = [diagnosticAt(place, { code: 'HG0106', message: 'Route “b” is never chosen' })];
    const { code, stderr } = await run({ input: GOOD, found });
    expect(code).toBe(78);
    expect(stderr).toMatch(/^error\[HG0106\]: Route “b” is never chosen\n ╭─▸ <inline>:8:5\n/);
  });

  test('tells programs of mistakes on standard output', async () => {
    const { code, stdout, stderr } = await run({ input: BAD, json: true });
    expect(code).toBe(78);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, errors: [{ code: 'HG0103', line: 2, column: 11 }] });
  });
});
