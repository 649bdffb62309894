import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page that shows what commands print. */
export interface DocsBlock {
  /** Relative to the checkout. */
  readonly page: string;
  /** Of the fence that opens it, from 1. */
  readonly line: number;
  /** What follows the language. */
  readonly marker: string;
  /** Between the fences; ends with a line end. */
  readonly text: string;
}

/** A command line of a block, and what it is said to print; ends with a line end unless empty. */
export interface DocsStep {
  readonly argv: readonly string[];
  /** As it is written after the prompt. */
  readonly line: string;
  readonly output: string;
}

const CHECKOUT = join(import.meta.dirname, '../..');

/** README.md and the pages of docs/: their names and what is in them. */
export function docsPages(): [page: string, text: string][] {
  const names = readdirSync(join(CHECKOUT, 'docs')).filter((name) => name.endsWith('.md'));
  const all = ['README.md', ...names.map((name) => `docs/${name}`)];
  return all.map((page) => [page, readFileSync(join(CHECKOUT, page), 'utf8')]);
}

/** Every block of README.md and docs/ in which `headgate` is called at a prompt. */
export function docsBlocks(): DocsBlock[] {
  return docsPages().flatMap(([page, text]) => blocksOf(page, text));
}

/** Every line in a shell block of them that calls `headgate` without a prompt, and so without output. */
export function docsCommands(): { readonly page: string; readonly line: number; readonly command: string }[] {
  return docsPages().flatMap(([page, text]) =>
    fencesOf(page, text)
      .filter(({ marker }) => marker === 'sh')
      .flatMap(({ line, text: block }) =>
        block.split('\n').flatMap((command, index) => {
          return command.startsWith('headgate ') ? [{ page, line: line + 1 + index, command }] : [];
        }),
      ),
  );
}

/** Everything that they show as JSON: one value, or one a line. */
export function docsJson(): DocsBlock[] {
  return docsPages().flatMap(([page, text]) => fencesOf(page, text).filter(({ marker }) => marker === 'json'));
}

/** Exported for its own test. */
export function blocksOf(page: string, text: string): DocsBlock[] {
  return fencesOf(page, text).filter((block) => /^\$ (\w+=\S+ )*headgate\b/m.test(block.text));
}

function fencesOf(page: string, text: string): DocsBlock[] {
  const blocks: DocsBlock[] = [];
  let open: { line: number; fence: string; marker: string; lines: string[] } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence, marker] = /^ *(`{3,})(.*)$/.exec(line) ?? [];
    if (open === null) {
      if (fence !== undefined) open = { line: index + 1, fence, marker: marker ?? '', lines: [] };
    } else if (fence === open.fence && marker === '') {
      const body = open.lines.map((written) => `${written}\n`).join('');
      blocks.push({ page, line: open.line, marker: open.marker, text: body });
      open = null;
    } else open.lines.push(line);
  }
  return blocks;
}

/** The command lines of a block, in order. What stands before the first one is nobody's output. */
export function stepsOf(text: string): DocsStep[] {
  const parts = text.split(/^\$ /m).slice(1);
  return parts.map((part) => {
    const [, line = '', output = ''] = /^((?:.*\\\n)*.*)\n([\s\S]*)$/.exec(part) ?? [];
    return { line, argv: wordsOf(line.replaceAll('\\\n', ' ')), output };
  });
}

/** As a shell would split it, as far as pages need: blanks, and quotes that nothing is expanded in. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double),
  );
}

const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '‹time›'],
  [/\b\d{4}-\d\d-\d\d\b/g, '‹date›'],
  [/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, '‹time›'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '‹id›'],
  [/\b[0-9a-f]{16,}\b(…)?/g, '‹hex›'],
  [/\b\d+(\.\d+)? (ns|µs|ms|s)\b/g, '‹duration›'],
];

/** `text` without what is otherwise each time: times, durations, identifiers; and with blanks that only align them as one. */
export function withoutChanging(text: string): string {
  const same = CHANGING.reduce((before, [pattern, word]) => before.replaceAll(pattern, word), text);
  return same
    .split('\n')
    .map((line) => line.replaceAll(/(?<=\S) {2,}/g, '  '))
    .join('\n');
}

/** Whether `real` is what `shown` promises; a line `…` of it stands for any number of lines. */
export function isAsShown(shown: string, real: string): boolean {
  const parts = withoutChanging(shown)
    .split(/^…\n/m)
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('(?:.*\\n)*?')}$`).test(withoutChanging(real));
}
