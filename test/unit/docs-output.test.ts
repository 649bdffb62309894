/**
 * What README.md and docs/ show of `headgate` at a prompt is what it prints. A block that has a line `$ headgate …` opens
 * with ```console and a marker of one or two parts. `with=PATH,PATH` names files or directories of the checkout that are copied by
 * their last name into the empty directory that its commands run in: with `with=docs/examples/cache.yaml`, write
 * `$ headgate check -c cache.yaml`; with `with=routes`, `$ headgate check`. `scene=NAME` opens test/kit/scenes/NAME.ts, which exports
 * `scene(directory): Promise<Scene>`: a gateway to ask, files to find, and what is shown in place of ports and paths that are
 * otherwise each time. Every block begins anew; its commands run in order, in this process, standard output and error as
 * they come. `$ cat FILE` and `$ echo $?` are understood too. Times, durations, identifiers and digests may differ, and a line `…`
 * stands for any number of lines. Lines of ```sh blocks that call headgate are only parsed. `UPDATE_DOCS=1 vitest run test/unit/docs-output.test.ts` writes what is really printed into the pages.
 */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseArguments } from '../../src/cli/arguments.ts';
import type { Io } from '../../src/cli/command.ts';
import { runCommandLine } from '../../src/cli/command-line.ts';
import { COMMANDS } from '../../src/cli/registry.ts';
import {
  blocksOf,
  type DocsBlock,
  docsBlocks,
  docsCommands,
  docsJson,
  docsPages,
  isAsShown,
  stepsOf,
  wordsOf,
} from '../kit/docs-blocks.ts';
import type { Scene } from '../kit/scene.ts';

const CHECKOUT = join(import.meta.dirname, '../..');
const NOWHERE: Scene = {};

/** What each command of a block prints, in order. */
async function played(block: DocsBlock): Promise<{ line: string; shown: string; real: string }[]> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'headgate-docs-')));
  const parts = new Map(block.marker.split(' ').map((part) => part.split('=', 2) as [string, string]));
  for (const path of parts.get('with')?.split(',') ?? []) {
    cpSync(join(CHECKOUT, path), join(directory, basename(path)), { recursive: true });
  }
  const name = parts.get('scene');
  const scene = name === undefined ? NOWHERE : await sceneOf(name, directory);
  const before = process.cwd();
  process.chdir(directory);
  try {
    const results = [];
    let code = 0;
    for (const { argv, line, output } of stepsOf(block.text)) {
      const real = await run(argv, { scene, code });
      code = real.code;
      results.push({ line, shown: output, real: asShown(real.text, scene) });
    }
    return results;
  } finally {
    process.chdir(before);
    await scene.close?.();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function sceneOf(name: string, directory: string): Promise<Scene> {
  const { scene } = (await import(`../kit/scenes/${name}.ts`)) as { scene: (directory: string) => Promise<Scene> };
  return scene(directory);
}

async function run(
  argv: readonly string[],
  { scene, code }: { readonly scene: Scene; readonly code: number },
): Promise<{ text: string; code: number }> {
  const variables = argv.slice(0, Math.max(0, argv.indexOf('headgate')));
  const [program, ...rest] = argv.slice(variables.length);
  if (program === 'cat') return { text: rest.map((file) => readFileSync(file, 'utf8')).join(''), code: 0 };
  if (program === 'echo') return { text: `${code}\n`, code: 0 };
  if (program !== 'headgate') throw new Error(`Only headgate, cat and echo $? can be shown, not ${program}`);
  let text = '';
  const output = { write: (more: string) => (text += more) };
  const given = variables.map((variable) => variable.split('=', 2));
  const environment = { ...scene.environment, ...Object.fromEntries(given) };
  const io: Io = { stdin: (async function* () {})(), stdout: output, stderr: output, environment };
  const ended = await (scene.run ?? runCommandLine)(rest, io);
  return { text, code: ended };
}

/** What follows in another column stays below its head. */
function asShown(text: string, { shown = [] }: Scene): string {
  return shown.reduce((before, [real, instead]) => {
    const gone = ' '.repeat(Math.max(0, real.length - instead.length));
    return before.replaceAll(`${real}  `, `${instead}${gone}  `).replaceAll(real, instead);
  }, text);
}

const blocks = docsBlocks();

describe('what the documentation shows', () => {
  test('is marked with what it can be checked against', () => {
    const unmarked = blocks.filter(({ marker }) => !/^console (with=\S+ )?(with|scene)=\S+$/.test(marker));
    expect(unmarked.map(({ page, line, marker }) => `${page}:${line} \`\`\`${marker}`)).toEqual([]);
  });

  test.each(blocks)('at $page:$line is what is printed', async (block) => {
    const steps = await played(block);
    if (process.env['UPDATE_DOCS'] === '1') update(block, steps);
    else for (const { line, shown, real } of steps) expect(isAsShown(shown, real) ? shown : real, line).toBe(shown);
  });
});

test('every command is somewhere in the documentation, as headgate NAME', () => {
  const told = docsPages()
    .map(([, text]) => text)
    .join('\n');
  const names = COMMANDS.filter(({ group }) => group !== null && group !== 'more').map(({ name }) => name);
  expect(names.filter((name) => !new RegExp(`headgate ${name}\\b`).test(told))).toEqual([]);
});

test.each(docsCommands())('$page:$line is understood: $command', ({ command }) => {
  const argv = wordsOf(command.replace(/ {2,}#.*| [<>|] .*/, '')).slice(1);
  expect(() => parseArguments(argv, {})).not.toThrow();
});

test.each(docsJson())('what $page:$line shows as JSON is that', ({ text }) => {
  const isOne = !/^\{.*\}\n\{/.test(text);
  for (const value of isOne ? [text] : text.trim().split('\n')) expect(() => JSON.parse(value)).not.toThrow();
});

function update({ page, text }: DocsBlock, steps: Awaited<ReturnType<typeof played>>): void {
  const fresh = steps.map(({ line, shown, real }) => `$ ${line}\n${isAsShown(shown, real) ? shown : real}`).join('');
  const file = join(CHECKOUT, page);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(`\n${text}\`\`\``, () => `\n${fresh}\`\`\``),
  );
}

describe('a block', () => {
  test('is found whatever language it claims to be in, and not where headgate is only spoken of', () => {
    const page =
      'a\n```\n$ headgate check\nfine\n```\n```sh\nheadgate check\n```\n````console x\n```\n$ headgate a\n````\n';
    expect(blocksOf('p.md', page).map(({ line, marker }) => [line, marker])).toEqual([
      [2, ''],
      [9, 'console x'],
    ]);
  });

  test('holds commands as a shell splits them, each with its output', () => {
    expect(stepsOf("$ headgate a 'b c' \\\n  -d\nout\nput\n$ echo $?\n0\n")).toEqual([
      { line: "headgate a 'b c' \\\n  -d", argv: ['headgate', 'a', 'b c', '-d'], output: 'out\nput\n' },
      { line: 'echo $?', argv: ['echo', '$?'], output: '0\n' },
    ]);
  });

  test('may differ in times and digests, and leave lines out, and in nothing else', () => {
    const real = 'up since 2026-01-02T03:04:05.678Z\nbusy  12.5 ms   x\na\nb\nc\n';
    expect(isAsShown('up since 2030-01-01T00:00:00Z\nbusy  9 ms  x\n…\nc\n', real)).toBe(true);
    expect(isAsShown('up since 2030-01-01T00:00:00Z\nbusy  9 ms  y\n…\nc\n', real)).toBe(false);
    expect(isAsShown('up since 2030-01-01T00:00:00Z\n…\nb\n', real)).toBe(false);
    expect(isAsShown('', 'x\n')).toBe(false);
  });
});
