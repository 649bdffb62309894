import { parseArgs } from 'node:util';
import { closest } from '../config/suggest.ts';
import { UsageError } from './usage-error.ts';

/** An option: takes a value, or is a switch. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
}
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

const HELP = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'V' } } as const;

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
  const options = { ...specs, ...HELP };
  const { tokens, positionals } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false, // its messages know no "did you mean"
    tokens: true,
  });
  const values = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const spec = Object.hasOwn(options, token.name) ? (options as OptionSpecs)[token.name] : undefined;
    if (spec === undefined) throw unknownOption(token.rawName, { specs: options, command });
    const known = values.get(token.name) ?? [];
    if (spec.type === 'boolean' && token.value !== undefined) throw new UsageError(`${token.rawName} takes no value`);
    if (spec.type === 'string' && (token.value ?? '') === '') throw new UsageError(`${token.rawName} needs a value`);
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

function unknownOption(rawName: string, { specs, command }: { specs: OptionSpecs; command: string | null }) {
  const names = Object.entries(specs).flatMap(([name, { short }]) => [
    `--${name}`,
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  const near = rawName.startsWith('--')
    ? closest(
        rawName,
        names.filter((name) => name.startsWith('--')),
      )
    : null;
  const of = command === null ? '' : ` of “headgate ${command}”`;
  const hint =
    near === null ? `There are ${names.filter((name) => name.startsWith('--')).join(', ')}` : `Did you mean ${near}?`;
  return new UsageError(`${rawName} is not an option${of}`, hint);
}
