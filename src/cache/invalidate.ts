import type { ResponseHead } from '../exchange/response-sink.ts';
import { getHeader } from '../http/headers.ts';
import { isSafe } from '../http/method.ts';
import { canonicalizeTarget, type PathPolicy } from '../http/target.ts';
import { type CacheRequest, uriKey } from './key.ts';
import { type KeyRules, type KeyTarget, noKeyRules } from './key-rules.ts';
import type { CacheStore } from './store.ts';

/** The canonical form that the listeners' default policy gives to a path, so that keys agree. */
const canonical: PathPolicy = {
  dotSegments: 'resolve',
  duplicateSlashes: 'merge',
  encodedSlash: 'keep',
  backslash: 'keep',
};

/**
 * Drops what a successful unsafe request made invalid (RFC 9111 §4.4): its target URI, and the URIs in `Location` and
 * `Content-Location` when they are of the same origin; another origin's are not its to invalidate. Methods whose safety is
 * not known are unsafe. `response` is as the endpoint sent it; `rules` are those of all routes, since what is stored for the URI may have
 * come by any of them. Returns how many stored responses were dropped.
 */
export function invalidate(
  store: CacheStore,
  request: CacheRequest,
  response: ResponseHead,
  rules: KeyRules = noKeyRules,
): number {
  if (isSafe(request.method) || response.status < 200 || response.status > 399) return 0;
  let dropped = dropTarget(store, request, rules);
  for (const name of ['location', 'content-location']) {
    const reference = getHeader(response.headers, name);
    const target = reference === null ? null : referredTarget(reference.trim(), request);
    if (target !== null) dropped += dropTarget(store, target, rules);
  }
  return dropped;
}

function dropTarget(store: CacheStore, target: KeyTarget, rules: KeyRules): number {
  let dropped = 0;
  for (const key of rules.keysOf(target)) dropped += store.delete(key);
  return dropped;
}

/** What a URI reference (RFC 3986 §4.1) means seen from `request`; `null` when it leads to another origin or nowhere. */
function referredTarget(reference: string, request: CacheRequest): KeyTarget | null {
  const target = sameOriginTarget(withoutFragment(reference), request);
  if (target === null) return null;
  const accepted = canonicalizeTarget(target, canonical);
  return accepted.ok ? { ...request, path: accepted.path, query: accepted.query } : null;
}

function withoutFragment(reference: string): string {
  const hash = reference.indexOf('#');
  return hash === -1 ? reference : reference.slice(0, hash);
}

/** Resolves by hand (RFC 3986 §5.2); dot segments are left to `canonicalizeTarget`. */
function sameOriginTarget(reference: string, request: CacheRequest): string | null {
  if (reference === '') return null;
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(reference)?.[0];
  if (scheme !== undefined && scheme.toLowerCase() !== `${request.scheme}:`) return null;
  const rest = scheme === undefined ? reference : reference.slice(scheme.length);
  if (rest.startsWith('//')) return targetOfAuthority(rest.slice(2), request);
  if (scheme !== undefined) return null;
  if (rest.startsWith('/')) return rest;
  if (rest.startsWith('?')) return request.path + rest;
  return request.path.slice(0, request.path.lastIndexOf('/') + 1) + rest;
}

function targetOfAuthority(text: string, request: CacheRequest): string | null {
  const end = text.search(/[/?]/);
  const authority = (end === -1 ? text : text.slice(0, end)).toLowerCase();
  // Compared as keys are: with the default port left out.
  const { scheme, host } = request;
  if (uriKey(scheme, authority, '', null) !== uriKey(scheme, host, '', null)) return null;
  if (end === -1) return '/';
  return text[end] === '?' ? `/${text.slice(end)}` : text.slice(end);
}
