import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completionScript } from '../../src/cli/completion-script.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { CHECKOUT } from './kit/gateway-process.ts';
import { requirePrograms } from './kit/programs.ts';

requirePrograms('bash', 'zsh', 'fish');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'headgate-completion-'));
  writeFileSync(join(folder, 'headgate'), `#!/bin/sh\nexec ${process.execPath} ${CHECKOUT}/src/main.ts "$@"\n`);
  chmodSync(join(folder, 'headgate'), 0o755);
  writeFileSync(join(folder, '_headgate'), completionScript('zsh'));
  writeFileSync(join(folder, 'headgate.fish'), completionScript('fish'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(program: string, args: readonly string[], environment: Record<string, string> = {}) {
  const path = `${folder}${delimiter}${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, HOME: folder, PATH: path, TERM: 'dumb', ...environment };
  const { stdout } = await promisify(execFile)(program, args, { env, cwd: CHECKOUT, timeout: 30_000 });
  return stdout;
}

/** What fish offers, without what it says of it. */
async function inFish(line: string, environment: Record<string, string> = {}): Promise<string[]> {
  const out = await run(
    'fish',
    ['--no-config', '-c', `source ${folder}/headgate.fish; complete -C '${line}'`],
    environment,
  );
  return out.split('\n').flatMap((offer) => (offer === '' ? [] : [offer.split('\t')[0] as string]));
}

/**
 * What the line is after a tab in an interactive zsh. Typed before its line editor has begun, a tab is a blank; and its keys are those of
 * vi where EDITOR says so, as npm does.
 */
async function inZsh(line: string, environment: Record<string, string> = {}): Promise<string> {
  const script = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; fpath=(${folder} $fpath); autoload -U compinit; compinit -u -D; bindkey -e'
zpty -w z 'zle-line-init() { print -rn LINE-"BEGINS" }; zle -N zle-line-init'
zpty -r z out '*LINE-BEGINS*'
zpty -n -w z '${line}'$'\\t'
zpty -n -w z $'\\C-a'"print -r -- '<"$'\\C-e'">'"$'\\n'
zpty -r z out '*<headgate*>*<headgate*>*'
print -r -- "$out"`;
  const out = await run('zsh', ['-f', '-c', script], environment);
  return [...out.replaceAll('\r', '').matchAll(/<(headgate[^<>]*)>/g)].at(-1)?.[1]?.trimEnd() ?? out;
}

test('fish offers commands, options, files, and what a running gateway has', async () => {
  const { gateway } = await startTestGateway(forwardTo([{ port: 3001 }, { port: 3002 }]));
  const environment = { HEADGATE_ADMIN: gateway.adminUrl };
  expect(await inFish('headgate st')).toEqual(['start', 'status']);
  expect(await inFish('headgate check --j')).toEqual(['--json']);
  expect(await inFish('headgate check -c docs/examples/ca')).toEqual([
    'docs/examples/cache.yaml',
    'docs/examples/canary.yaml',
  ]);
  expect(await inFish('headgate drain shop 127', environment)).toEqual(['127.0.0.1:3001', '127.0.0.1:3002']);
});

test('zsh completes commands, options, files, and what a running gateway has', async () => {
  const { gateway } = await startTestGateway(forwardTo([{ port: 3001 }, { port: 3002 }]));
  const environment = { HEADGATE_ADMIN: gateway.adminUrl };
  expect(await inZsh('headgate dr')).toBe('headgate drain');
  expect(await inZsh('headgate check --j')).toBe('headgate check --json');
  expect(await inZsh('headgate check -c docs/examples/cache.y')).toBe('headgate check -c docs/examples/cache.yaml');
  expect(await inZsh('headgate drain sh', environment)).toBe('headgate drain shop');
  expect(await inZsh('headgate drain shop 127', environment)).toBe('headgate drain shop 127.0.0.1:300');
});
