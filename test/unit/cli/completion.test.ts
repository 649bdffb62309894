import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type AskNames, type Completion, complete } from '../../../src/cli/complete.ts';
import { completionScript } from '../../../src/cli/completion-script.ts';
import { COMMANDS } from '../../../src/cli/registry.ts';
import { headgate } from '../../kit/command-line.ts';
import { forwardTo } from '../../kit/config.ts';
import { startTestGateway } from '../../kit/gateway.ts';

const names: AskNames = async ({ kind, pool }) => (kind === 'pool' ? ['shop', 'cart'] : [`${pool}-1:3000`, 'x:1']);

async function completing(line: string): Promise<string> {
  const found: Completion = await complete(line.split(' '), { commands: COMMANDS, environment: {}, names });
  return typeof found === 'string' ? `:${found}` : found.map(({ text }) => text).join(' ');
}

describe('at a tab', () => {
  test.each([
    ['st', 'start status'],
    ['--p', '--port'],
    ['nonsense ', ''],
    ['check -', '--config --json --help --version'],
    ['check --json -', '--config --help --version'],
    ['check --jx', ''],
    ['check -c ', ':path'],
    ['check --config=', ':path'],
    ['check ', ''],
    ['cert a --out ', ':directory'],
    ['purge --tag a --ta', '--tag'],
    ['drain ', 'shop cart'],
    ['drain c', 'cart'],
    ['drain --json shop ', 'shop-1:3000 x:1'],
    ['drain shop --admin http://a ', 'shop-1:3000 x:1'],
    ['drain shop x:1 ', ''],
    ['weight shop x:1 ', 'default'],
    ['weight shop -- -', ''],
    ['routes --pool=', '--pool=shop --pool=cart'],
    ['demo ', 'fine slow flaky'],
    ['completion ', 'bash zsh fish'],
    ['help dr', 'drain'],
    ['/api=3000 --adm', '--admin-port'],
    ['/api=3000 --port 1 --p', ''],
  ])('“headgate %s” becomes: %s', async (line, expected) => {
    expect(await completing(line)).toBe(expected);
  });

  test('every command and every option can be reached', async () => {
    const visible = COMMANDS.filter(({ group }) => group !== null);
    expect(await completing('')).toBe(visible.map(({ name }) => name).join(' '));
    for (const { name, options } of COMMANDS) {
      const offered = (await completing(`${name} --`)).split(' ');
      expect(offered).toEqual([...Object.keys(options), 'help', 'version'].map((option) => `--${option}`));
    }
  });

  test('a running gateway tells its pools and endpoints; none is no trouble', async () => {
    const { gateway } = await startTestGateway(forwardTo([{ port: 3001 }, { port: 3002 }]));
    const asked = (url: string, ...words: string[]) =>
      headgate(['__complete', '--', ...words], { environment: { HEADGATE_ADMIN: url } });
    expect(await asked(gateway.adminUrl, 'drain', '')).toEqual({ code: 0, out: 'shop\t\n', err: '' });
    expect((await asked(gateway.adminUrl, 'drain', 'shop', '127.0.0.1:3002')).out).toBe('127.0.0.1:3002\t\n');
    expect(await asked('http://127.0.0.1:1', 'drain', '')).toEqual({ code: 0, out: '', err: '' });
    expect(await asked('nonsense', 'drain', '')).toEqual({ code: 0, out: '', err: '' });
  });
});

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

/** What bash itself makes of a tab behind `line`. */
async function inBash(line: string, environment: Record<string, string> = {}): Promise<string[]> {
  const script = `${completionScript('bash')}
    headgate() { "$NODE" "$MAIN" "$@"; }
    COMP_LINE="$LINE" COMP_POINT=\${#LINE}
    _headgate
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...process.env, NODE: process.execPath, MAIN, LINE: line, ...environment };
  const { stdout } = await promisify(execFile)('bash', ['-u', '-c', script], { env, cwd: join(MAIN, '../..') });
  return stdout.split('\n').filter((word) => word !== '');
}

test('in bash there are commands and files; of an endpoint, what stands behind the colon that bash splits at', async () => {
  expect(await inBash('headgate st')).toEqual(['start', 'status']);
  expect(await inBash('headgate check --config=docs/examples/ca')).toEqual([
    'docs/examples/cache.yaml',
    'docs/examples/canary.yaml',
  ]);
  const { gateway } = await startTestGateway(forwardTo([{ port: 3001 }, { port: 3002 }]));
  const environment = { HEADGATE_ADMIN: gateway.adminUrl };
  expect(await inBash('headgate drain shop 127.0.0.1:30', environment)).toEqual(['3001', '3002']);
});

test('each shell has its script, and others are named', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await headgate(['completion', shell]);
    expect({ code, asks: out.includes('__complete -- ') }).toEqual({ code: 0, asks: true });
  }
  expect(await headgate(['completion', 'tcsh'])).toEqual({
    ...{ code: 2, out: '' },
    err: 'headgate: “tcsh” is no known shell\n  There are bash, zsh, fish, as in: headgate completion bash\n',
  });
});
