import type { Command, Completes, Environment, OptionSpecs, Positional } from './command.ts';
import { COMMON_OPTIONS } from './options.ts';
import { MAPPING_OPTIONS } from './zero-config-arguments.ts';

/** What may stand where the cursor is, and a word about it. */
export interface Candidate {
  readonly text: string;
  readonly about: string;
}

/** `path`, `directory`: the shell knows its files best. */
export type Completion = readonly Candidate[] | 'path' | 'directory';

/** Pools and endpoints of the running gateway that these words would ask. Never rejects. */
export type AskNames = (asked: {
  readonly kind: 'pool' | 'endpoint';
  /** Whose endpoints. */
  readonly pool: string | null;
  readonly options: ReadonlyMap<string, string>;
}) => Promise<readonly string[]>;

export interface Completing {
  readonly commands: readonly Command[];
  readonly environment: Environment;
  readonly names: AskNames;
}

/** What may take the place of the last of `words`, the arguments up to the cursor; the last may be empty. */
export async function complete(words: readonly string[], known: Completing): Promise<Completion> {
  const current = words.at(-1) ?? '';
  const [first] = words;
  if (words.length <= 1) return starting(current, [...commandsOf(known), ...optionsOf(MAPPING_OPTIONS, new Map())]);
  const command = known.commands.find(({ name }) => name === first);
  if (command === undefined && first?.includes('=') !== true && first?.startsWith('-') !== true) return [];
  const specs: OptionSpecs = { ...(command?.options ?? MAPPING_OPTIONS), ...COMMON_OPTIONS };
  const read = readSoFar(command === undefined ? words.slice(0, -1) : words.slice(1, -1), specs);
  const value = (completes: Completes | undefined): Promise<Completion> => values(completes, { current, read, known });
  if (read.open !== null) return value(specs[read.open]?.completes);
  const [, name, begun] = /^--([\w-]+)=(.*)$/s.exec(current) ?? [];
  if (!read.ended && name !== undefined && begun !== undefined) {
    const completion = await values(specs[name]?.completes, { current: begun, read, known });
    if (typeof completion === 'string') return completion;
    return completion.map(({ text, about }) => ({ text: `--${name}=${text}`, about }));
  }
  if (!read.ended && current.startsWith('-')) return starting(current, optionsOf(specs, read.given));
  return value(positionalAt(command?.positionals ?? [], read.positionals.length)?.completes);
}

interface SoFar {
  readonly positionals: readonly string[];
  readonly given: ReadonlyMap<string, string>;
  /** An option whose value is not there yet. */
  readonly open: string | null;
  /** By `--`: what follows are no options. */
  readonly ended: boolean;
}

/** Forgives what it does not know: it is still being written. */
function readSoFar(words: readonly string[], specs: OptionSpecs): SoFar {
  const positionals: string[] = [];
  const given = new Map<string, string>();
  let open: string | null = null;
  let ended = false;
  for (const word of words) {
    if (open !== null) {
      given.set(open, word);
      open = null;
    } else if (ended || !word.startsWith('-')) positionals.push(word);
    else if (word === '--') ended = true;
    else {
      const [, long, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
      const name = long ?? Object.keys(specs).find((key) => specs[key]?.short === word[1]);
      if (name === undefined) continue;
      given.set(name, value ?? '');
      if (value === undefined && specs[name]?.value !== undefined) open = name;
    }
  }
  return { positionals, given, open, ended };
}

interface At {
  readonly current: string;
  readonly read: SoFar;
  readonly known: Completing;
}

async function values(completes: Completes | undefined, { current, read, known }: At): Promise<Completion> {
  if (completes === undefined) return [];
  if (completes === 'path' || completes === 'directory') return completes;
  if (completes === 'command') return starting(current, commandsOf(known));
  if (completes === 'pool' || completes === 'endpoint') {
    const pool = completes === 'pool' ? null : (read.positionals[0] ?? null);
    return starting(current, plain(await known.names({ kind: completes, pool, options: read.given })));
  }
  return starting(current, plain(completes));
}

function plain(words: readonly string[]): Candidate[] {
  return words.map((text) => ({ text, about: '' }));
}

function commandsOf({ commands }: Completing): Candidate[] {
  return commands.filter(({ group }) => group !== null).map(({ name, summary }) => ({ text: name, about: summary }));
}

function optionsOf(specs: OptionSpecs, given: ReadonlyMap<string, string>): Candidate[] {
  return Object.entries(specs)
    .filter(([name, { multiple }]) => multiple === true || !given.has(name))
    .map(([name, { summary }]) => ({ text: `--${name}`, about: summary.split('\n')[0] ?? '' }));
}

function positionalAt(positionals: readonly Positional[], index: number): Positional | undefined {
  const last = positionals.at(-1);
  return positionals[index] ?? (last?.repeated === true ? last : undefined);
}

function starting(current: string, candidates: readonly Candidate[]): readonly Candidate[] {
  // Commands, when there is nothing yet: options are asked for by a dash.
  return candidates.filter(({ text }) => text.startsWith(current) && (current !== '' || !text.startsWith('-')));
}
