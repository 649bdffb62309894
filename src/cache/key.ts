import { getCombined, type HeaderList } from '../http/headers.ts';
import { isNominated } from '../http/hop-by-hop.ts';
import { isTchar } from '../http/octets.ts';
import { normaliseField } from './field-value.ts';

/** What the cache needs to know of a request. `method`, `path` and `query` are the canonical ones that routing saw. */
export interface CacheRequest {
  readonly method: string;
  /** `http` or `https`. */
  readonly scheme: string;
  /** Authority in lower case, with its port if it was sent. */
  readonly host: string;
  readonly path: string;
  /** Without `?`; `null` when there is none. */
  readonly query: string | null;
  /** The part of `query` that is in the key: all of it, unless the route's `cache.key` says otherwise (`queryInKey`). */
  readonly keyQuery: string | null;
  /** The values that `Vary` selects by: as received from the client, but for an Accept-Encoding that the route narrows. */
  readonly headers: HeaderList;
  /**
   * Everything else that chose the response and that neither the URI nor the client's fields show: the route's name, and
   * what the route writes into the request from variables (a rewritten target, an edited field); and the fields and cookies that
   * it has in its key. Responses are shared within a partition only; an invalidation by URI reaches all of them. Empty when there is nothing of the kind.
   */
  readonly partition: string;
}

/** One request field that a stored response was selected by (RFC 9111 §4.1). */
export interface VaryField {
  /** Lower case. */
  readonly name: string;
  /** Combined value as it was sent, or `null` when the field was absent: absent matches only absent. */
  readonly raw: string | null;
  readonly normalised: string | null;
}

/** No `Vary`, or one that names only what the primary key holds. */
export const noVary: readonly VaryField[] = Object.freeze([]);

/**
 * The primary cache key (RFC 9111 §2): the target URI, with what the route wants of its query. The method is not part of it, because only
 * responses to GET are stored and they answer HEAD too. A default port is left out, so that both spellings are one resource
 * (RFC 9110 §4.2.3). What else a route adds, fields and cookies, is in the partition: an invalidation by URI has to reach it.
 */
export function primaryKey({ scheme, host, path, keyQuery }: CacheRequest): string {
  return uriKey(scheme, host, path, keyQuery);
}

/** The key of a URI with this query. */
export function uriKey(scheme: string, host: string, path: string, query: string | null): string {
  const authority = withoutDefaultPort(scheme, host);
  return query === null ? `${scheme}://${authority}${path}` : `${scheme}://${authority}${path}?${query}`;
}

/** Is this how keys spell it: in lower case, and without the default port? */
export function isKeyHost(scheme: string, host: string): boolean {
  return withoutDefaultPort(scheme, host) === host && !/[A-Z]/.test(host);
}

function withoutDefaultPort(scheme: string, host: string): string {
  if (scheme === 'https') return host.endsWith(':443') ? host.slice(0, -4) : host;
  return host.endsWith(':80') ? host.slice(0, -3) : host;
}

/** Request fields that Headgate writes itself, for each client or exchange anew: their values say nothing about the next request. */
const WRITTEN_BY_GATEWAY = new Set([
  'x-forwarded-for',
  'x-forwarded-port',
  'forwarded',
  'x-real-ip',
  'via',
  'x-request-id',
  'traceparent',
  'tracestate',
]);

/**
 * The fields that the response's `Vary` names, with the values `request` had (RFC 9111 §4.1).
 * `vary-star`: it varies on more than the request shows. `vary-unseen`: it varies on a field that Headgate wrote, which
 * the next client's request can't be compared with, or on one that the client's `Connection` kept from the endpoint.
 */
export function varyFields(
  response: HeaderList,
  request: CacheRequest,
): readonly VaryField[] | 'vary-star' | 'vary-unseen' {
  const vary = getCombined(response, 'vary');
  if (vary === null) return noVary;
  const fields: VaryField[] = [];
  for (const part of vary.split(',')) {
    const name = part.trim().toLowerCase();
    // What is no field name selects by something, and nothing can be compared with it.
    if (name === '*' || !isFieldName(name)) return 'vary-star';
    if (WRITTEN_BY_GATEWAY.has(name)) return 'vary-unseen';
    // The host is in the key already; an empty member is legal in a list (RFC 9110 §5.6.1.2).
    if (name === '' || name === 'host' || fields.some((field) => field.name === name)) continue;
    // The client sent it to us alone: the endpoint answered as if it were absent, and the next client's may not be.
    if (isNominated(request.headers, name)) return 'vary-unseen';
    const raw = getCombined(request.headers, name);
    fields.push({ name, raw, normalised: raw === null ? null : normaliseField(name, raw) });
  }
  // Sorted, so that two spellings of one Vary make one variant.
  return fields.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isFieldName(name: string): boolean {
  for (let i = 0; i < name.length; i += 1) if (!isTchar(name.charCodeAt(i))) return false;
  return true;
}

/** Does `request` have the same values of `fields` as the request that the stored response answered? */
export function matchesVary(fields: readonly VaryField[], request: CacheRequest): boolean {
  for (let i = 0; i < fields.length; i += 1) {
    if (!matchesField(fields[i] as VaryField, request.headers)) return false;
  }
  return true;
}

function matchesField(field: VaryField, headers: HeaderList): boolean {
  const raw = getCombined(headers, field.name);
  // Most requests spell it alike, and then nothing needs to be normalised.
  if (raw === field.raw) return true;
  if (raw === null || field.normalised === null) return false;
  return normaliseField(field.name, raw) === field.normalised;
}

/** Are these the same selection, so that a new response replaces the old one? Both lists are sorted. */
export function sameVary(a: readonly VaryField[], b: readonly VaryField[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) {
    const left = a[i] as VaryField;
    const right = b[i] as VaryField;
    if (left.name !== right.name || left.normalised !== right.normalised) return false;
  }
  return true;
}
