import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Machine } from '../../../../src/cli/trust/machine.ts';
import { trust } from '../../../../src/cli/trust.ts';
import { untrust } from '../../../../src/cli/untrust.ts';
import { type Described, type FakeMachine, machineWith } from './machine.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-trust-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
const ANCHORS = '/usr/local/share/ca-certificates';

/** A Debian on which the three commands do what they do there. */
function debian(described: Described = {}): FakeMachine {
  const programs = ['update-ca-certificates'];
  const machine: FakeMachine = machineWith({
    programs,
    files: { [BUNDLE]: 'others\n' },
    ...described,
    answer: (line) => described.answer?.(line) ?? act(line),
  });
  const act = (line: string): undefined => {
    const [program, ...args] = line.split(' ');
    const { files } = machine;
    if (program === 'install') files[args.at(-1) as string] = readCa(args.at(-2) as string);
    if (program === 'rm') for (const file of args.slice(1)) delete files[file];
    if (program === 'update-ca-certificates') {
      files[BUNDLE] = [
        'others\n',
        ...Object.keys(files).flatMap((file) => (file.startsWith(ANCHORS) ? [files[file] as string] : [])),
      ].join('');
    }
    return undefined;
  };
  return machine;
}

function readCa(file: string): string {
  return process.getBuiltinModule('node:fs').readFileSync(file, 'utf8');
}

async function said(command: typeof trust, machine: Machine, options: { dryRun?: boolean; json?: boolean } = {}) {
  const output = { stdout: '', stderr: '' };
  const code = await command(
    { directory, dryRun: false, json: false, ...options },
    {
      machine,
      stdout: { write: (text) => (output.stdout += text) },
      stderr: { write: (text) => (output.stderr += text) },
    },
  );
  return { code, ...output };
}

test('trust makes the CA, says what it will run, runs it, and says that it worked; a second time nothing changes', async () => {
  const machine = debian({ isRoot: true });
  const first = await said(trust, machine);
  expect(first.code).toBe(0);
  expect(first.stderr).toBe(`headgate: Made a local CA: ${join(directory, 'ca.pem')}\n`);
  for (const line of machine.ran) expect(first.stdout).toContain(`  ${line}\n`);
  expect(machine.ran).toHaveLength(2);
  expect(first.stdout).toMatch(/✓ system \(.*\) {2}trusted now/);
  const second = await said(trust, machine);
  expect(machine.ran).toHaveLength(2);
  expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('trusted already') });
  expect((await said(untrust, machine)).stdout).toMatch(/✓ system \(.*\) {2}removed/);
  expect(machine.files).toEqual({ [BUNDLE]: 'others\n' });
  expect(await said(untrust, machine)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('nothing of Headgate is there'),
  });
});

test('without root nothing is run for the system: the commands are shown with sudo, and the exit code is 77', async () => {
  const machine = debian();
  const { code, stdout } = await said(trust, machine);
  expect(code).toBe(77);
  expect(machine.ran).toEqual([]);
  expect(stdout).toMatch(/ {2}sudo install -D -m 644 .*\/ca\.pem .*\n {2}sudo update-ca-certificates\n/);
  expect(stdout).toContain('needs root');
});

test('--dry-run runs nothing', async () => {
  const machine = debian({ isRoot: true });
  await said(trust, machine);
  const before = [...machine.ran];
  const { code, stdout } = await said(untrust, machine, { dryRun: true });
  expect({ code, ran: machine.ran }).toEqual({ code: 0, ran: before });
  expect(stdout).toMatch(/rm -f .*\n {2}update-ca-certificates --fresh\n/);
  expect(stdout).toContain('not done: --dry-run');
});

test('--dry-run makes no CA either', async () => {
  const { code, stdout, stderr } = await said(trust, debian(), { dryRun: true });
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  expect(stderr).toContain(`There is no local CA in ${directory} yet`);
});

test('under sudo no CA is made, which the gateway could not read', async () => {
  const { code, stderr } = await said(trust, debian({ isRoot: true, sudoUser: 'me' }));
  expect(code).toBe(1);
  expect(stderr).toContain('without sudo first');
});

test('a command that fails is named with what it said', async () => {
  const answer = (line: string) =>
    line.startsWith('update') ? { code: 3, stderr: 'read-only file system\n' } : undefined;
  const { code, stdout } = await said(trust, debian({ isRoot: true, answer }));
  expect(code).toBe(1);
  expect(stdout).toContain('failed: update-ca-certificates ended with 3: read-only file system');
});

test('commands that succeed without effect have failed', async () => {
  const { code, stdout } = await said(trust, debian({ isRoot: true, answer: () => ({ code: 0 }) }));
  expect(code).toBe(1);
  expect(stdout).toContain('failed: all commands succeeded, but it is not trusted');
});

test('--json is one object with the authority, each store, its outcome and its commands', async () => {
  const { stdout } = await said(trust, debian({ isRoot: true }), { json: true });
  expect(JSON.parse(stdout)).toEqual({
    authority: {
      file: join(directory, 'ca.pem'),
      subject: expect.stringMatching(/^CN=Headgate local CA \(.+\), O=Headgate$/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      validUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    },
    dryRun: false,
    stores: [
      {
        store: 'system',
        label: 'system (Debian, Ubuntu, Alpine)',
        outcome: 'changed',
        commands: [expect.stringMatching(/^install /), 'update-ca-certificates'],
        reason: null,
      },
    ],
  });
});
