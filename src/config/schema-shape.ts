import { z } from 'zod';
import type { $ZodType, $ZodTypes } from 'zod/v4/core';
import { type ValueForm, valueForms } from './schema/units.ts';

/** A schema as the diagnoses see it: what may stand at a place, without the wrappers and transforms around it. */
export type Schema = $ZodTypes;

/** Peels defaults, `optional`, transforms and `lazy` off, down to what the user writes. */
export function unwrap(schema: $ZodType): Schema {
  let current = schema as Schema;
  for (;;) {
    const { def } = current._zod;
    if (def.type === 'pipe') current = def.in as Schema;
    else if (def.type === 'lazy') current = def.getter() as Schema;
    else if ('innerType' in def) current = def.innerType as Schema;
    else return current;
  }
}

/** What a text or number at this place means, if it is more than plain text. */
export function formOf(schema: $ZodType): ValueForm | null {
  const form = valueForms.get(unwrap(schema));
  return form === undefined ? null : form;
}

/** The keys of a map with fixed keys; empty for everything else. */
export function keysOf(schema: $ZodType): readonly string[] {
  const shape = shapeOf(schema);
  return shape === null ? [] : Object.keys(shape);
}

/** The schemas of the fixed keys, or `null` when this is not such a map. */
export function shapeOf(schema: $ZodType): Readonly<Record<string, $ZodType>> | null {
  const { def } = unwrap(schema)._zod;
  return def.type === 'object' ? def.shape : null;
}

/** The keys that a map must have. */
export function requiredKeysOf(schema: $ZodType): readonly string[] {
  const shape = shapeOf(schema) ?? {};
  return Object.keys(shape).filter((key) => shape[key]?._zod.optin === undefined);
}

/** The alternatives at this place; the schema alone when there is but one. */
export function optionsOf(schema: $ZodType): readonly $ZodType[] {
  const inner = unwrap(schema);
  return inner._zod.def.type === 'union' ? inner._zod.def.options : [inner];
}

/** The schema of an entry or item; of the first alternative that has one; `null` when there is none. */
export function childSchema(schema: $ZodType, key: string | number): $ZodType | null {
  const { def } = unwrap(schema)._zod;
  if (def.type === 'object') return def.shape[String(key)] ?? null;
  if (def.type === 'record') return def.valueType;
  if (def.type === 'array') return def.element;
  if (def.type !== 'union') return null;
  for (const option of def.options) {
    const child = childSchema(option, key);
    if (child !== null) return child;
  }
  return null;
}

/** `text`, `a number`, `true or false`, `a map` …: what may stand here, in the user's words. */
export function nounOf(schema: $ZodType): string {
  const form = formOf(schema);
  if (form !== null) return form.noun;
  const { def } = unwrap(schema)._zod;
  switch (def.type) {
    case 'string':
      return 'text';
    case 'number':
      return 'a number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'a map';
    case 'literal':
      return def.values.map(String).join(' or ');
    case 'enum':
      return Object.values(def.entries).join(', ');
    case 'union':
      return [...new Set(def.options.map(nounOf))].join(' or ');
    default:
      return 'something else';
  }
}

/** Of alternatives, the one that a value of this type was meant for; zod may report its issues as the union's own. */
export function narrow(schema: $ZodType, value: unknown): $ZodType {
  if (formOf(schema) !== null) return schema; // its alternatives are spellings of one thing
  return optionsOf(schema).find((option) => unwrap(option)._zod.def.type === typeof value) ?? schema;
}

/** Whether the schema takes `value` as it is. */
export function accepts(schema: $ZodType, value: unknown): boolean {
  return z.safeParse(schema, value).success;
}
