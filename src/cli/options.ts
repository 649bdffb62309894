import { parseArgs } from 'node:util';
import { closest } from '../config/suggest.ts';
import type { OptionSpec, OptionSpecs } from './command.ts';
import { UsageError } from './usage-error.ts';

/** What every command has besides its own. */
export const COMMON_OPTIONS = {
  help: { short: 'h', summary: 'this, or the help of a command' },
  version: { short: 'V', summary: 'the version' },
} as const satisfies OptionSpecs;

/** Options and positionals as they were given, checked against what the command takes. */
export interface Given {
  readonly positionals: readonly string[];
  on(name: string): boolean;
  text(name: string): string | undefined;
  all(name: string): readonly string[];
}

/**
 * Reads what `command` was given (`null` without one): every option once unless it may come more often, none that it does not know.
 * @throws UsageError
 */
export function readOptions(args: readonly string[], specs: OptionSpecs, command: string | null): Given {
  const options: OptionSpecs = { ...specs, ...COMMON_OPTIONS };
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, shapeOf(spec)])),
    allowPositionals: true,
    strict: false, // its messages know no "did you mean"
    tokens: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, { specs: options, command });
    const known = values.get(token.name) ?? [];
    const takesValue = spec.value !== undefined;
    if (!takesValue && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    if (takesValue && (token.value ?? '') === '') throw new UsageError(`${token.rawName} needs a value`);
    if (known.length > 0 && spec.multiple !== true) throw new UsageError(`${token.rawName} is given twice`);
    values.set(token.name, [...known, token.value ?? '']);
  }
  return {
    positionals,
    on: (name) => values.has(name),
    text: (name) => values.get(name)?.[0],
    all: (name) => values.get(name) ?? [],
  };
}

function shapeOf({ value, short }: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  return { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
}

function unknownOption(rawName: string, { specs, command }: { specs: OptionSpecs; command: string | null }) {
  const names = Object.keys(specs).map((name) => `--${name}`);
  const near = rawName.startsWith('--') ? closest(rawName, names) : null;
  const of = command === null ? '' : ` of “headgate ${command}”`;
  const hint = near === null ? `There are ${names.join(', ')}` : `Did you mean ${near}?`;
  return new UsageError(`${rawName} is not an option${of}`, hint);
}
