import { decodeComponent } from './octets.ts';

/*
 * A query is opaque bytes (docs/paths.md). These look into it in place, parameter by parameter, and copy nothing they
 * need not.
 */

const EQUALS = 0x3d;

/** Where the parameter that starts at `start` ends: at the next "&", or at the end of the query. */
export function parameterEnd(query: string, start: number): number {
  const ampersand = query.indexOf('&', start);
  return ampersand < 0 ? query.length : ampersand;
}

/** Where the name of the parameter in `[start, end)` ends: at its first "=", or at `end`. */
export function nameEnd(query: string, start: number, end: number): number {
  // Not `indexOf`: each of many parameters without one would look through all that follow.
  let at = start;
  while (at < end && query.charCodeAt(at) !== EQUALS) at += 1;
  return at;
}

/** Does the encoded name in `[start, end)` mean `name`, which is decoded octets and not empty? */
export function isParameter(query: string, start: number, end: number, name: string): boolean {
  // An escape only makes a name longer, so a shorter one can't be it.
  return end - start >= name.length && decodeComponent(query.slice(start, end)) === name;
}

/** Decoded value of the first parameter called `name` (decoded octets); empty when there is none or it has no value. */
export function firstValue(query: string, name: string): string {
  for (let start = 0; start < query.length; ) {
    const end = parameterEnd(query, start);
    const border = nameEnd(query, start, end);
    if (isParameter(query, start, border, name)) return decodeComponent(query.slice(Math.min(border + 1, end), end));
    start = end + 1;
  }
  return '';
}

/** The values of one parameter, and the query without it. */
export interface Taken {
  /** Decoded, in their order. */
  readonly values: readonly string[];
  /** Everything else, byte for byte; `null` when nothing is left. */
  readonly rest: string | null;
}

/** Takes every parameter called `name` (decoded octets, not empty) out of `query`. */
export function takeParameter(query: string, name: string): Taken {
  const values: string[] = [];
  const kept: string[] = [];
  for (const parameter of query.split('&')) {
    const border = nameEnd(parameter, 0, parameter.length);
    if (!isParameter(parameter, 0, border, name)) kept.push(parameter);
    else values.push(decodeComponent(parameter.slice(Math.min(border + 1, parameter.length))));
  }
  if (values.length === 0) return { values, rest: query };
  return { values, rest: kept.length === 0 ? null : kept.join('&') };
}
