import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/registry.ts';
import { MAPPING_OPTIONS } from '../../../src/cli/zero-config-arguments.ts';
import { headgate } from '../../kit/command-line.ts';

/** One line about what is wrong, one about what to write; nothing for programs; exit code 2. */
async function expectMisuse(argv: readonly string[], about: RegExp): Promise<void> {
  const { code, out, err } = await headgate(argv, { environment: { HEADGATE_ADMIN: 'http://127.0.0.1:1' } });
  expect({ code, out }, argv.join(' ')).toEqual({ code: 2, out: '' });
  expect(err, argv.join(' ')).toMatch(/^headgate: [^\n]+\n {2}[^\n]+\n$/);
  expect(err).toMatch(about);
}

const commands = COMMANDS.map(({ name, options, positionals }) => ({ name, options, positionals }));
const surfaces = [
  ...commands,
  { name: '/api=3000', options: MAPPING_OPTIONS, positionals: [{ name: 'MAPPING', repeated: true }] },
];

describe('misuse of', () => {
  test.each(surfaces)('$name is one helpful line, whatever is wrong', async ({ name, options, positionals }) => {
    await expectMisuse([name, '--frobnicate'], /--frobnicate is not an option/);
    await expectMisuse([name, '-9'], /-9 is not an option/);
    await expectMisuse([name, '--help=yes'], /--help takes no value/);
    if (!positionals.some((positional) => 'repeated' in positional && positional.repeated)) {
      await expectMisuse([name, ...positionals.map(() => 'a'), 'stray'], /stray|is not a|no known|Did you mean/);
    }
    for (const [option, spec] of Object.entries(options)) {
      const misspelt = `--${option.slice(0, -1)}${option.endsWith('z') ? 'y' : 'z'}`;
      await expectMisuse([name, misspelt], /is not an option|needs a value/);
      if ('value' in spec) {
        await expectMisuse([name, `--${option}`], new RegExp(`--${option} needs a value`));
        await expectMisuse([name, `--${option}=`], new RegExp(`--${option} needs a value`));
      } else {
        await expectMisuse([name, `--${option}=1`], new RegExp(`--${option} takes no value`));
      }
      if (!('multiple' in spec)) {
        const given = 'value' in spec ? [`--${option}`, 'a'] : [`--${option}`];
        await expectMisuse([name, ...given, ...given], new RegExp(`--${option} is given twice`));
      }
    }
  });
});

/** A value that each option can't take, by the name of the value. `null`: whatever is there is taken, or looked for. */
const WRONG: Readonly<Record<string, string | null>> = {
  PORT: '65536',
  URL: '127.0.0.1:4600',
  FIELD: 'no-colon',
  NUMBER: 'many',
  KEY: 'nothing',
  S: 'soon',
  PERCENT: 'most',
  ALGORITHM: 'md5',
  ...{ PATH: null, DIR: null, FILE: null, NAME: null, HOST: null, TAG: null, ADDRESS: null, TEXT: null, USER: null },
};

/** What else a command needs before it looks at its options. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  drain: ['a', 'b'],
  disable: ['a', 'b'],
  enable: ['a', 'b'],
  weight: ['a', 'b', '1'],
  route: ['http://a/'],
  demo: ['fine'],
  cert: ['a.test'],
  purge: ['--all'],
};

test('a value of the wrong kind is told for every option that has a kind', async () => {
  for (const { name, options } of surfaces) {
    for (const [option, spec] of Object.entries(options)) {
      if (!('value' in spec)) continue;
      expect(WRONG, `what is no ${spec.value} for ${name} --${option}? Add it to WRONG`).toHaveProperty(spec.value);
      const wrong = WRONG[spec.value];
      if (wrong === null || wrong === undefined || option === 'prefix') continue;
      await expectMisuse([name, ...(NEEDED[name] ?? []), `--${option}`, wrong], /is not (a|the) /);
    }
  }
});

test.each([
  [['purge', '--all', '--tag', 'a'], 'takes one of them at a time'],
  [['purge', 'http://a/', '--host', 'a'], 'takes one of them at a time'],
  [['weight', 'a', 'b', '-1'], '-1 is not an option'],
  [['weight', 'a', 'b', '1.5'], '“1.5” is not a weight'],
  [['route', 'GET'], '“GET” is not a URL'],
  [['cert', 'a b'], 'is not a host name'],
  [['/api=3000', '/api=3001'], 'are the same route'],
  [['/api'], 'is not ROUTE=TARGET'],
  [['hash-password', '--user', 'a:b'], '“a:b” is not a name of a user'],
  [['new-api-key'], 'needs a name'],
  [['new-api-key', 'a b'], '“a b” is not a name of a key'],
  [['help', 'nothing'], 'is not a command'],
  [['status', '--admin', 'unix:/run/%zz'], 'is not the URL of an admin listener'],
  [['status', '--admin', 'unix:/run/a%00b'], 'is not the URL of an admin listener'],
])('headgate %j', async (argv, message) => {
  await expectMisuse(argv, new RegExp(message.replaceAll(/[.*+?]/g, '\\$&')));
});

const reading = commands.filter(
  ({ name, options }) => 'config' in options && !('admin' in options) && name !== 'start',
);

test.each(reading)('headgate $name says which file is not there: exit code 78', async ({ name }) => {
  const path = 'nowhere/gateway.yaml';
  const { code, out, err } = await headgate([name, ...(NEEDED[name] ?? []), '-c', path]);
  expect({ code, out }).toEqual({ code: 78, out: '' });
  expect(err).toContain(`cannot read ${path}: no such file or directory`);
});

test('a reader that has had enough ends a command quietly', async () => {
  const line = 'set -o pipefail; "$NODE" src/main.ts schema | head -1';
  const env = { ...process.env, NODE: process.execPath };
  const cwd = join(import.meta.dirname, '../../..');
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line], { env, cwd });
  expect({ stdout, stderr }).toEqual({ stdout: '{\n', stderr: '' });
});

test('a token that no request could bring is told', async () => {
  const environment = { HEADGATE_ADMIN: 'http://127.0.0.1:1', HEADGATE_ADMIN_TOKEN: 'abcdefgh\nabcdefgh' };
  const { code, err } = await headgate(['status'], { environment });
  expect([code, err]).toEqual([2, expect.stringMatching(/^headgate: HEADGATE_ADMIN_TOKEN holds no token\n {2}.+\n$/)]);
});

test.runIf(existsSync('/dev/full'))('a command whose output can not be written fails', async () => {
  const cwd = join(import.meta.dirname, '../../..');
  const env = { ...process.env, NODE: process.execPath };
  const ran = promisify(execFile)('bash', ['-c', '"$NODE" src/main.ts schema > /dev/full'], { env, cwd });
  await expect(ran).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('standard output: ENOSPC') });
});

test('a disk that fills up while a file is formatted costs nothing of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-fmt-'));
  const file = join(folder, 'a.yaml');
  const text = `pools: {}\n${'# A comment.\n'.repeat(200)}listeners: {}\n`;
  writeFileSync(file, text);
  const env = { ...process.env, NODE: process.execPath, FILE: file };
  const cwd = join(import.meta.dirname, '../../..');
  // Writes beyond 1 KiB are refused, as on a full disk.
  const ran = promisify(execFile)('bash', ['-c', 'ulimit -f 1; "$NODE" src/main.ts fmt "$FILE"'], { env, cwd });
  await expect(ran).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^headgate: EFBIG.*\n$/),
  });
  expect([readdirSync(folder), readFileSync(file, 'utf8')]).toEqual([['a.yaml'], text]);
  rmSync(folder, { recursive: true });
});
