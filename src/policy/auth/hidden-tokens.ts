import type { PolicyRequest } from '../admit.ts';
import { toOctets } from '../octets.ts';
import { takeParameter } from '../query-parameter.ts';
import { cookiesWithout, hasCookie, type TokenPlaceConfig, tokenPlace } from './token-place.ts';

/** Takes tokens out of a request, whose identity is set; `forwards`: but for the one that was verified. */
export type HideTokens = (request: PolicyRequest, forwards: boolean) => void;

/**
 * Tokens that nobody has verified go no further: an endpoint that believes what comes this way might take them. Fields go with `credentialFields`, unless
 * one of them is where the token was; what other places bring besides is taken out here.
 */
export function hideTokens(from: readonly TokenPlaceConfig[]): HideTokens {
  const places = from.map((place) => ({ place, find: tokenPlace([place]) }));
  return (request, forwards) => {
    // The usual one: the token is where it was verified, and may stay there.
    if (forwards && places.length === 1) return;
    const present = places.filter(({ find }) => find(request).kind !== 'none').map(({ place }) => place);
    const [seen = null] = forwards ? present : [];
    const others = from.filter((place) => place !== seen);
    hideParameters(request, others);
    hideCookies(request, others);
    // In its own right, where the other one is seen: the field of another way's credentials stays.
    if (seen !== null) hideFields(request, fieldOf(seen), present.slice(1));
  };
}

function hideParameters(request: PolicyRequest, places: readonly TokenPlaceConfig[]): void {
  for (const place of places) {
    if (typeof place !== 'object' || !('query' in place) || request.query === null) continue;
    request.query = takeParameter(request.query, toOctets(place.query)).rest;
  }
}

function hideCookies(request: PolicyRequest, places: readonly TokenPlaceConfig[]): void {
  const { identity } = request;
  const names = places.flatMap((place) => (typeof place === 'object' && 'cookie' in place ? [place.cookie] : []));
  const { headers } = request.request;
  if (identity === null || names.length === 0 || !hasCookie(headers, names)) return;
  request.identity = { ...identity, cookie: cookiesWithout(headers, names) };
}

function hideFields(request: PolicyRequest, seen: string | null, places: readonly TokenPlaceConfig[]): void {
  const { identity } = request;
  const names = places.flatMap((place) => fieldOf(place) ?? []).filter((name) => name !== seen);
  if (identity === null || names.length === 0) return;
  request.identity = { ...identity, removes: [...new Set([...(identity.removes ?? []), ...names])] };
}

/** Lower case; `null` for what is in no field of its own. */
export function fieldOf(place: TokenPlaceConfig): string | null {
  if (place === 'bearer') return 'authorization';
  return 'header' in place ? place.header.toLowerCase() : null;
}
