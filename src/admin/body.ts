import { closest, didYouMean, enumerate } from '../config/suggest.ts';
import { badBody, type Refusal } from './refusal.ts';
import type { Schema } from './schema.ts';

export type Body = Readonly<Record<string, unknown>>;

/** Objects and lists within each other; nothing that is taken here has more than three. */
const DEEPEST = 8;

/**
 * The object that a JSON text is, checked against `schema`; an empty one for no text at all, so that a change without details needs no
 * body. Else what is wrong with it, with a pointer to the place: unknown keys first, since a misspelt one is why another is missing.
 */
export function bodyOf(text: string, schema: Schema): { readonly body: Body } | Refusal {
  let value: unknown = {};
  try {
    if (text !== '') value = JSON.parse(text);
  } catch {
    // Its message would show a piece of the body.
    return badBody('', 'The body is not JSON');
  }
  return problemOf(value, schema, '') ?? { body: value as Body };
}

function problemOf(value: unknown, schema: Schema, at: string): Refusal | null {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const type = typeOf(value);
  const fits = types.length === 0 || types.includes(type) || (type === 'integer' && types.includes('number'));
  if (!fits) return badBody(at, `${nameOf(at)} must be ${wantedOf(schema)}, not ${described(value, type)}`);
  if (value === null) return null;
  if (type === 'object') return objectProblem(value as Body, schema, at);
  if (Array.isArray(value)) return listProblem(value, schema, at);
  return valueProblem(value, schema, at);
}

function objectProblem(value: Body, schema: Schema, at: string): Refusal | null {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (at.split('/').length > DEEPEST) return badBody(at, 'The body is nested too deeply');
  const known = Object.keys(properties);
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(properties, key)) continue;
    if (typeof additionalProperties === 'object') {
      const problem = problemOf(value[key], additionalProperties, `${at}/${escaped(key)}`);
      if (problem !== null) return problem;
      continue;
    }
    const near = closest(key, known);
    const hint =
      near !== null ? didYouMean(near) : known.length === 0 ? 'nothing is taken here' : `there ${one(known)}`;
    return badBody(`${at}/${escaped(key)}`, `“${shown(key)}” means nothing here: ${hint}`);
  }
  for (const [key, inner] of Object.entries(properties)) {
    const own = Object.hasOwn(value, key) ? problemOf(value[key], inner, `${at}/${escaped(key)}`) : null;
    if (own !== null) return own;
  }
  const missing = required.find((key) => !Object.hasOwn(value, key));
  if (missing === undefined) return null;
  return badBody(at, `“${missing}” is missing: ${wantedOf(properties[missing] ?? {})}`);
}

function listProblem(value: readonly unknown[], { items = {}, maxItems }: Schema, at: string): Refusal | null {
  if (maxItems !== undefined && value.length > maxItems)
    return badBody(at, `${nameOf(at)} has at most ${maxItems} items`);
  for (const [index, item] of value.entries()) {
    const problem = problemOf(item, items, `${at}/${index}`);
    if (problem !== null) return problem;
  }
  return null;
}

function valueProblem(value: unknown, schema: Schema, at: string): Refusal | null {
  const { enum: allowed, minimum = -Infinity, maximum = Infinity, minLength = 0, maxLength = Infinity } = schema;
  if (typeof value === 'number' && (value < minimum || value > maximum)) {
    return badBody(at, `${nameOf(at)} must be ${wantedOf(schema)}`);
  }
  if (typeof value !== 'string') {
    return schema.const === undefined || schema.const === value
      ? null
      : badBody(at, `${nameOf(at)} can only be ${String(schema.const)}`);
  }
  if (allowed !== undefined && !allowed.includes(value)) {
    const names = allowed.filter((word) => word !== null);
    const near = closest(value, names);
    return badBody(at, `“${shown(value)}” is not ${enumerate(names)}${near === null ? '' : `: ${didYouMean(near)}`}`);
  }
  if (value.length < minLength) return badBody(at, `${nameOf(at)} must not be empty`);
  return value.length > maxLength ? badBody(at, `${nameOf(at)} is longer than ${maxLength} characters`) : null;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  return typeof value;
}

const ARTICLES: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'text',
  boolean: 'true or false',
  null: 'null',
};

/** `a whole number from 0 to 1000 or null` */
function wantedOf({ type, minimum, maximum, enum: allowed }: Schema): string {
  if (allowed !== undefined) return enumerate(allowed.filter((word) => word !== null));
  return [type ?? 'string']
    .flat()
    .map((name) => {
      if (name !== 'integer' && name !== 'number') return ARTICLES[name] ?? name;
      const range =
        minimum === undefined ? '' : maximum === undefined ? ` from ${minimum}` : ` from ${minimum} to ${maximum}`;
      return `a ${name === 'integer' ? 'whole ' : ''}number${range}`;
    })
    .join(' or ');
}

function described(value: unknown, type: string): string {
  if (typeof value === 'string') return `text`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return ARTICLES[type] ?? type;
}

function nameOf(at: string): string {
  return at === '' ? 'The body' : `“${shown(at.slice(at.lastIndexOf('/') + 1))}”`;
}

function one(known: readonly string[]): string {
  return known.length === 1 ? `is “${known[0]}” only` : `are ${enumerate(known, 'and')}`;
}

/** RFC 6901 §3. */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

const LONGEST_SHOWN = 64;

/** What somebody sent, in a message: not without end. */
function shown(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
