import { closest, didYouMean, enumerate } from '../config/suggest.ts';
import { badParameter, type Refusal } from './refusal.ts';
import type { Schema } from './schema.ts';

export type Query = Readonly<Record<string, string>>;

/** The query of a request (`a=1&b=2`, without `?`), checked against what an operation knows; or what is wrong with it. */
export function queryOf(text: string, known: Readonly<Record<string, Schema>>): { readonly query: Query } | Refusal {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const schema = Object.hasOwn(known, name) ? known[name] : undefined;
    if (schema === undefined)
      return badParameter(name.slice(0, 64), unknownMessage(name.slice(0, 64), Object.keys(known)));
    if (Object.hasOwn(query, name)) return badParameter(name, `“${name}” is given twice`);
    const problem = valueProblem(name, value, schema);
    if (problem !== null) return badParameter(name, problem);
    query[name] = value;
  }
  return { query };
}

function unknownMessage(name: string, known: readonly string[]): string {
  const near = closest(name, known);
  if (near !== null) return `“${name}” means nothing here: ${didYouMean(near)}`;
  return `“${name}” means nothing here: ${known.length === 0 ? 'there is no query' : enumerate(known, 'and')}`;
}

function valueProblem(name: string, value: string, schema: Schema): string | null {
  const { type, minimum = -Infinity, maximum = Infinity, enum: allowed } = schema;
  if (type === 'integer') {
    const isFine = /^\d{1,9}$/.test(value) && Number(value) >= minimum && Number(value) <= maximum;
    return isFine ? null : `“${name}” is a number from ${minimum} to ${maximum}`;
  }
  if (allowed === undefined || allowed.includes(value)) return null;
  return `“${name}” is ${enumerate(allowed.filter((word) => word !== null))}`;
}
