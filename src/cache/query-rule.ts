import { hexValue, isUnreserved } from '../http/octets.ts';

/** Names of parameters: as they are, and what others begin with. Escapes of unreserved characters are decoded. */
export interface ParameterNames {
  readonly exact: ReadonlySet<string>;
  readonly prefixes: readonly string[];
}

/** What of a query is part of the key. `none`: nothing. */
export type QueryRule =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'parameters';
      /** The order of parameters of different names means nothing. */
      readonly sort: boolean;
      /** Only these; `null` for all. In lower case. */
      readonly keep: ParameterNames | null;
      /** All but these; `null` for none. */
      readonly drop: ParameterNames | null;
    };

/** `['page', 'utm_*']`: a `*` at the end stands for anything. */
export function parameterNames(patterns: readonly string[], spelling: 'exact' | 'lower'): ParameterNames {
  const normal = (text: string): string => (spelling === 'lower' ? comparable(text).toLowerCase() : comparable(text));
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*'));
  return {
    exact: new Set(patterns.filter((pattern) => !pattern.endsWith('*')).map(normal)),
    prefixes: prefixes.map((pattern) => normal(pattern.slice(0, -1))),
  };
}

/**
 * The part of `query` that is in the key; `null` for nothing. Two queries have the same part when `rule` says that they ask for the same:
 * parameters are compared as they were sent, their names with escapes of unreserved characters decoded (RFC 3986 §6.2.2.2), and
 * those of one name keep their order. Idempotent, and takes any text.
 *
 * What readers understand differently stays, so that nobody makes the endpoint see a parameter that the key does not hold: a query
 * with `;`, which some take for a separator, is in the key as it is, and a parameter is left out only if its name is listed or plain.
 */
export function keyedQuery(query: string | null, rule: QueryRule): string | null {
  if (query === null || rule.kind === 'none') return null;
  if (query.includes(';')) return query;
  const kept: { readonly name: string; readonly text: string }[] = [];
  for (const text of query.split('&')) {
    const name = nameOf(text);
    if (text !== '' && isKept(name, rule)) kept.push({ name, text });
  }
  if (kept.length === 0) return null;
  // Stable: of two with one name, endpoints take the first, or the last, or both in this order.
  if (rule.sort) kept.sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
  return kept.map(({ text }) => text).join('&');
}

function isKept(name: string, { keep, drop }: QueryRule & { readonly kind: 'parameters' }): boolean {
  if (keep !== null) return !isPlain(name, 0) || isListed(name.toLowerCase(), keep);
  if (drop === null) return true;
  if (drop.exact.has(name)) return false;
  return !drop.prefixes.some((prefix) => name.startsWith(prefix) && isPlain(name, prefix.length));
}

function isListed(name: string, { exact, prefixes }: ParameterNames): boolean {
  return exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/** Letters, digits, `_` and `-` are read alike everywhere; `a[b]`, `a.b`, `+a`, `%20a` are an `a` to some. */
function isPlain(name: string, from: number): boolean {
  return /^[\w-]*$/.test(from === 0 ? name : name.slice(from));
}

function nameOf(parameter: string): string {
  const equals = parameter.indexOf('=');
  return comparable(equals === -1 ? parameter : parameter.slice(0, equals));
}

/** Escapes of unreserved characters decoded, others in upper case (RFC 3986 §6.2.2); malformed ones as they are. */
function comparable(name: string): string {
  if (!name.includes('%')) return name;
  return name.replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
    const code = hexValue(triplet.charCodeAt(1)) * 16 + hexValue(triplet.charCodeAt(2));
    return isUnreserved(code) ? String.fromCharCode(code) : triplet.toUpperCase();
  });
}
