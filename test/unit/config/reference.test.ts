import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configJsonSchema } from '../../../src/config/json-schema.ts';

const DOCS = resolve(import.meta.dirname, '../../../docs');
const reference = readFileSync(resolve(DOCS, 'configuration.md'), 'utf8');
const errors = readFileSync(resolve(DOCS, 'errors.md'), 'utf8');

interface Key {
  readonly section: string;
  readonly key: string;
  readonly required: boolean;
  readonly preset: string | null;
}

interface JsonSchema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/** Every key of a schema, with the section that it belongs to: `pools.NAME.health` · `interval`. */
function keysOf(section: string, schema: JsonSchema): Key[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [
    { section, key, required: schema.required?.includes(key) === true, preset: presetOf(child.default) },
    ...keysOf(section === '' ? key : `${section}.${key}`, child),
  ]);
  const entries = typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
  return [
    ...own,
    ...entries.flatMap((entry) => keysOf(`${section}.NAME`, entry)),
    ...(schema.items === undefined ? [] : keysOf(`${section}[]`, schema.items)),
    ...(schema.anyOf ?? []).flatMap((option) => keysOf(section, option)),
  ];
}

function presetOf(value: unknown): string | null {
  if (value === undefined || (typeof value === 'object' && JSON.stringify(value) === '{}')) return null;
  if (typeof value === 'string') return value === '' ? '""' : value;
  return JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ');
}

/** Sections of the document by name; a heading may name several. */
function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>();
  for (const part of text.split(/^#{2,3} /m).slice(1)) {
    const [heading = ''] = part.split('\n', 1);
    for (const name of heading.split(', ')) sections.set(name, part);
  }
  return sections;
}

const root = configJsonSchema() as JsonSchema;
/** Policies of routes are those of groups, and told of once. */
function isPolicyOfRoute({ section, key }: Key, all: readonly Key[]): boolean {
  const place = `${section}.${key}`;
  if (!place.startsWith('routes[].')) return false;
  const inGroup = place.replace('routes[].', 'policies.NAME.');
  return all.some((other) => `${other.section}.${other.key}` === inGroup);
}

const every = [...keysOf('', root), ...keysOf('match', root.definitions?.['Match'] ?? {})];
const keys = every.filter((key) => !isPolicyOfRoute(key, every));
const sections = sectionsOf(reference);

describe('docs/configuration.md', () => {
  test('was compared with all of the schema', () => {
    expect(keys.length).toBeGreaterThan(150);
  });

  test.each(keys)('has $section · $key, and its default', ({ section, key, required, preset }) => {
    const text = sections.get(section === '' ? 'Sections' : section);
    const rows = text?.split('\n').filter((line) => line.startsWith(`| \`${key}\` |`)) ?? [];
    expect(rows).toHaveLength(1);
    const [, , , shown] = rows[0]?.split(/(?<!\\)\|/).map((cell) => cell.trim()) ?? [];
    if (required) expect(shown).toBe('required');
    else if (preset !== null) expect(shown).toContain(`\`${preset}\``);
  });

  test('has no key that the schema lacks', () => {
    const known = new Set(keys.map(({ key }) => key));
    const documented = [...reference.matchAll(/^\| `(\w+)` \| [^|]+ \| [^|]+ \| [^|]+ \|$/gm)].map(([, key]) => key);
    expect(documented.filter((key) => !known.has(key ?? ''))).toEqual([]);
  });
});

test('docs/errors.md has every code', () => {
  const source = readFileSync(resolve(DOCS, '../src/config/config-error.ts'), 'utf8');
  const codes = [...new Set(source.match(/HG\d{4}/g))].sort();
  expect([...errors.matchAll(/^## (HG\d{4}): /gm)].map(([, code]) => code)).toEqual(codes);
});
