import type { ValueCheck } from './value-test.ts';

const EQUALS = 0x3d;

/**
 * True if `check` holds for parameter `name` of a raw query: for one of its values, or, if the check wants none, when there is none.
 * Names and values are compared after percent-decoding as UTF-8 with `+` as a space; text with a malformed escape, or that is no
 * UTF-8, is compared as it stands. `?a` and `?a=` both give `a` the value `''`; empty pieces (`&&`) are no parameters.
 * HOT: allocates only the value it compares, and nothing for other parameters unless their name is escaped.
 */
export function queryHolds(query: string | null, name: string, check: ValueCheck): boolean {
  if (query === null) return check.wantsAbsent;
  let start = 0;
  while (start < query.length) {
    const end = endOfPair(query, start);
    const equals = endOfName(query, start, end);
    if (end > start && isNamedSpan(query, start, equals, name)) {
      if (check.wantsAbsent) return false;
      if (check.accepts(decodeSpan(query, equals + 1, end))) return true;
    }
    start = end + 1;
  }
  return check.wantsAbsent;
}

/** Every decoded value of `name`, in order: for explanations. */
export function queryValues(query: string | null, name: string): readonly string[] {
  const values: string[] = [];
  const collect: ValueCheck = { wantsAbsent: false, accepts: (value) => values.push(value) < 0, wanted: '' };
  queryHolds(query, name, collect);
  return values;
}

function endOfPair(query: string, start: number): number {
  const end = query.indexOf('&', start);
  return end === -1 ? query.length : end;
}

function endOfName(query: string, start: number, end: number): number {
  // Not `indexOf`: each of many parameters without one would look through all that follow.
  let at = start;
  while (at < end && query.charCodeAt(at) !== EQUALS) at += 1;
  return at;
}

function isNamedSpan(query: string, start: number, end: number, name: string): boolean {
  if (end - start === name.length && query.startsWith(name, start) && !isEscaped(query, start, end)) return true;
  return isEscaped(query, start, end) && decodeSpan(query, start, end) === name;
}

function decodeSpan(query: string, start: number, end: number): string {
  const raw = query.slice(start, end);
  if (!isEscaped(query, start, end)) return raw;
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    // URIError: a malformed escape, or bytes that are no UTF-8.
    return raw;
  }
}

function isEscaped(query: string, start: number, end: number): boolean {
  for (let i = start; i < end; i += 1) {
    const code = query.charCodeAt(i);
    if (code === 0x25 || code === 0x2b) return true;
  }
  return false;
}
