// Hot: one hash per attempt of a pool that hashes. Benchmark: bench/balance.ts.
import { cookieValue } from '../../http/cookie.ts';
import { getHeader } from '../../http/headers.ts';
import type { BalanceRequest } from './balancer.ts';
import { hashSpan, hashText, mix } from './hash-text.ts';

/** What requests have in common that go to the same endpoint. */
export type HashKey =
  /** Address; path without query; path with query. */
  | 'client'
  | 'path'
  | 'uri'
  /** First field line of this name. */
  | { readonly header: string }
  | { readonly cookie: string }
  /** First parameter of this name, both as sent: nothing is decoded. */
  | { readonly query: string };

/** Hash of the key of a request, 32 bits, unsigned; -1 when it has none, or an empty one. */
export type ReadKey = (request: BalanceRequest) => number;

const NONE = -1;

export function readKey(key: HashKey): ReadKey {
  if (key === 'client') return ({ clientAddress }) => hashText(clientAddress);
  if (key === 'path') return ({ facts }) => (facts === null ? NONE : hashText(facts.path));
  if (key === 'uri') return ({ facts }) => (facts === null ? NONE : hashUri(facts.path, facts.query));
  if ('header' in key) {
    const lower = key.header.toLowerCase();
    return ({ facts }) => (facts === null ? NONE : hashValue(getHeader(facts.request.headers, lower)));
  }
  if ('cookie' in key) {
    return ({ facts }) => (facts === null ? NONE : hashValue(cookieValue(facts.request.headers, key.cookie)));
  }
  return ({ facts }) => (facts === null || facts.query === null ? NONE : hashParameter(facts.query, key.query));
}

function hashValue(value: string | null): number {
  return value === null || value === '' ? NONE : hashText(value);
}

function hashUri(path: string, query: string | null): number {
  const ofPath = hashSpan(path, 0, path.length);
  if (query === null) return mix(ofPath);
  return mix(hashSpan(query, 0, query.length, hashSpan('?', 0, 1, ofPath)));
}

function hashParameter(query: string, name: string): number {
  for (let start = 0; start < query.length; ) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand === -1 ? query.length : ampersand;
    const value = start + name.length + 1;
    if (value < end && query.startsWith(name, start) && query.charCodeAt(value - 1) === 0x3d) {
      return mix(hashSpan(query, value, end));
    }
    start = end + 1;
  }
  return NONE;
}
