import { z } from 'zod';
import type { $ZodType } from 'zod/v4/core';
import { formatDuration, formatShare, formatSize } from './near-values.ts';
import { config } from './schema/config.ts';
import { formOf } from './schema-shape.ts';

type Json = Record<string, unknown>;

const VARIABLE = '\\$\\{';

/**
 * The configuration as JSON Schema (draft 7), for editors: what a user writes, with descriptions, defaults in the
 * units one writes them in, and `${…}` allowed wherever a value may stand. Made from the same schemas that load it.
 */
export function configJsonSchema(): object {
  const schema: Json = z.toJSONSchema(config, { io: 'input', target: 'draft-7', override });
  const { $schema, definitions, ...rest } = schema;
  const body: Json = {
    $schema,
    title: 'Headgate configuration',
    description: 'One file, or one of several in a directory; each may hold any of these sections',
    ...rest,
    definitions,
  };
  allowVariables(body);
  return body;
}

/** The same as the text of a file: what `headgate schema` prints, and docs/headgate.schema.json holds. */
export function configJsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** zod knows neither what a parsed text looks like, nor how its default is written. */
function override({ zodSchema, jsonSchema }: { zodSchema: $ZodType; jsonSchema: Json }): void {
  const kind = formOf(zodSchema)?.kind;
  const { def } = zodSchema._zod as { def: { type: string; defaultValue?: unknown } };
  if (def.type === 'default') setDefault(jsonSchema, def.defaultValue, kind);
  // {} says nothing: the defaults stand inside.
  if (def.type === 'prefault' && !Array.isArray(jsonSchema['default'])) delete jsonSchema['default'];
  if (kind === 'duration' && Array.isArray(jsonSchema['anyOf'])) {
    jsonSchema['anyOf'] = [{ type: 'string', pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d)|0)$' }, { const: 0 }];
  }
  if (kind === 'size' && Array.isArray(jsonSchema['anyOf'])) {
    jsonSchema['anyOf'] = [
      { type: 'string', pattern: '^\\d+(\\.\\d+)?[kMG]?$' },
      { type: 'integer', minimum: 0 },
    ];
  }
  if (kind === 'share' && Array.isArray(jsonSchema['anyOf'])) {
    jsonSchema['anyOf'] = [
      { type: 'string', pattern: '^\\d+(\\.\\d+)?%?$' },
      { type: 'number', minimum: 0, maximum: 1 },
    ];
  }
  if (kind === 'address' && def.type === 'string') {
    jsonSchema['pattern'] = '^((https?://)?(\\[[0-9a-fA-F:.]+(%[\\w.-]+)?\\]|[A-Za-z0-9._-]+)(:\\d{1,5})?/?|unix:/.+)$';
  }
}

function setDefault(jsonSchema: Json, value: unknown, kind: string | undefined): void {
  if (typeof value === 'number' && kind === 'duration') jsonSchema['default'] = formatDuration(value);
  else if (typeof value === 'number' && kind === 'size') jsonSchema['default'] = formatSize(value);
  else if (typeof value === 'number' && kind === 'share') jsonSchema['default'] = formatShare(value);
  else jsonSchema['default'] = value;
}

/** `port: ${PORT}` is a valid file, whatever a port is: variables are filled in before the values are looked at. */
function allowVariables(node: unknown): void {
  if (Array.isArray(node)) for (const item of node) allowVariables(item);
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  const schema = node as Json;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'propertyNames' || key === 'default' || key === 'examples') continue; // names are not expanded
    if (key === 'properties' || key === 'definitions')
      for (const child of Object.values(value as Json)) allowVariables(child);
    else allowVariables(value);
  }
  widen(schema);
}

function widen(schema: Json): void {
  const { type, pattern, enum: words, const: constant } = schema;
  if (typeof pattern === 'string') {
    schema['pattern'] = `${pattern}|${VARIABLE}`;
    delete schema['format']; // zod's own names (starts_with) beside the pattern that says it
  }
  const isOther = type === 'integer' || type === 'number' || type === 'boolean';
  if (!isOther && words === undefined && constant === undefined) return;
  const { description, default: preset, examples, ...rest } = schema;
  for (const key of Object.keys(rest)) delete schema[key];
  schema['anyOf'] = [rest, { type: 'string', pattern: VARIABLE }];
}
