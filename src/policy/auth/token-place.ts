import { isNamed } from '../../http/headers.ts';
import { sliceTrimmed } from '../../http/octets.ts';
import { toOctets } from '../octets.ts';
import { takeParameter } from '../query-parameter.ts';
import type { Variables } from '../variables.ts';

/** Where a token may be: `Authorization: Bearer` (RFC 6750 §2.1), or under a name in a field, a cookie or the query. */
export type TokenPlaceConfig =
  | 'bearer'
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly query: string };

/** `many`: twice in the same place. Whoever reads the request after us may take the other one, which nobody has looked at. */
export type FoundToken =
  | { readonly kind: 'none' }
  | { readonly kind: 'many' }
  | { readonly kind: 'one'; readonly token: string };

const NONE: FoundToken = Object.freeze({ kind: 'none' });
const MANY: FoundToken = Object.freeze({ kind: 'many' });

export type TokenPlace = (request: Variables) => FoundToken;

/** Looks into the places in their order; the first that has a token decides. Hot: allocates the token and what says that it is there. */
export function tokenPlace(places: readonly TokenPlaceConfig[]): TokenPlace {
  const all = places.map(placeOf);
  const only = all[0];
  if (all.length === 1 && only !== undefined) return only;
  return (request) => {
    for (const place of all) {
      const found = place(request);
      if (found.kind !== 'none') return found;
    }
    return NONE;
  };
}

function placeOf(place: TokenPlaceConfig): TokenPlace {
  if (place === 'bearer') return (request) => inField(request, 'authorization', true);
  if ('header' in place) {
    const lower = place.header.toLowerCase();
    return (request) => inField(request, lower, lower === 'authorization');
  }
  if ('cookie' in place) return (request) => inCookies(request, place.cookie);
  const name = toOctets(place.query);
  return (request) => inQuery(request, name);
}

/** In `Authorization` only behind its scheme; elsewhere with it or without. Basic credentials are no token, but none beside a token either. */
function inField({ request }: Variables, lower: string, needsScheme: boolean): FoundToken {
  const { headers } = request;
  let value: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lower)) continue;
    if (value !== null) return MANY;
    value = headers[i + 1] as string;
  }
  if (value === null) return NONE;
  const isBearer = value.length >= 6 && value.slice(0, 6).toLowerCase() === 'bearer' && isEndOrBlank(value, 6);
  if (isBearer) return one(sliceTrimmed(value, 6, value.length));
  return needsScheme ? NONE : one(sliceTrimmed(value, 0, value.length));
}

function isEndOrBlank(value: string, at: number): boolean {
  return at === value.length || value.charCodeAt(at) === 0x20;
}

function inCookies({ request }: Variables, name: string): FoundToken {
  let token: string | null = null;
  for (const pair of pairsOf(request.headers)) {
    if (nameOf(pair) !== name) continue;
    if (token !== null) return MANY;
    const value = sliceTrimmed(pair, pair.indexOf('=') + 1, pair.length);
    token = value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return token === null || token === '' ? NONE : one(token);
}

/** `Cookie` without the cookies `names`; '' when nothing is left. */
export function cookiesWithout(headers: readonly string[], names: readonly string[]): string {
  return pairsOf(headers)
    .filter((pair) => !names.includes(nameOf(pair)))
    .map((pair) => sliceTrimmed(pair, 0, pair.length))
    .filter((pair) => pair !== '')
    .join('; ');
}

/** Does the request bring such a cookie? */
export function hasCookie(headers: readonly string[], names: readonly string[]): boolean {
  return pairsOf(headers).some((pair) => names.includes(nameOf(pair)));
}

function pairsOf(headers: readonly string[]): readonly string[] {
  const pairs: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, 'cookie')) pairs.push(...(headers[i + 1] as string).split(';'));
  }
  return pairs;
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? '' : sliceTrimmed(pair, 0, equals);
}

function inQuery({ query }: Variables, name: string): FoundToken {
  if (query === null) return NONE;
  const { values } = takeParameter(query, name);
  const [token] = values;
  if (token === undefined) return NONE;
  return values.length > 1 ? MANY : one(token);
}

function one(token: string): FoundToken {
  return { kind: 'one', token };
}
