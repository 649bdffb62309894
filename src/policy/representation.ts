import type { ResponseHead } from '../exchange/response-sink.ts';
import { parseCacheControl } from '../http/cache-control.ts';
import { parseEntityTags } from '../http/conditional.ts';
import { getCombined, getHeader, type HeaderDraft, type HeaderList, hasHeader, isNamed } from '../http/headers.ts';
import { addVary } from './vary.ts';

/**
 * Fields that are about the bytes of a body as the endpoint sent it: its length, what parts of it can be asked for, and its digests
 * (RFC 9530; Content-MD5 and Digest are what came before).
 */
const OF_THE_BYTES: ReadonlySet<string> = new Set([
  'content-length',
  'accept-ranges',
  'content-md5',
  'content-digest',
  'repr-digest',
  'digest',
]);

/**
 * The fields of a response whose body becomes another one with the same meaning: nothing that is about its bytes, and its entity tag weak
 * (RFC 9110 §8.8.1), since that stands for the endpoint’s bytes and not for ours.
 */
export function alteredFields(headers: HeaderList): HeaderDraft {
  const draft: HeaderDraft = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (OF_THE_BYTES.has(name.toLowerCase())) continue;
    draft.push(name, isNamed(name, 'etag') ? weakTag(value) : value);
  }
  return draft;
}

/** The same for what comes behind the body, where digests may stand too (RFC 9530 §6.4); `null` for nothing. */
export function alteredTrailers(trailers: HeaderList | null): HeaderList | null {
  if (trailers === null) return null;
  const draft: HeaderDraft = [];
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (!OF_THE_BYTES.has(name.toLowerCase())) draft.push(name, trailers[i + 1] as string);
  }
  return draft.length === 0 ? null : draft;
}

/** Any tag as a weak one; what is no tag as it is. */
export function weakTag(etag: string): string {
  return etag.startsWith('"') ? `W/${etag}` : etag;
}

/** `type/subtype` in lower case, without parameters; empty for none. */
export function mediaType(headers: HeaderList): string {
  const value = getHeader(headers, 'content-type');
  if (value === null) return '';
  const semicolon = value.indexOf(';');
  return (semicolon === -1 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}

/**
 * May the body of this response become another one at all? Not what its endpoint forbids to transform (RFC 9111 §5.2.2.6), a part
 * (`Content-Range`), what is encoded already (also where that says `identity`: whoever says so wants it that way), and what has no body of its
 * own but 304. An event stream and gRPC are messages on time, each with an end of its own.
 */
export function isAlterable({ status, headers }: ResponseHead, type: string): boolean {
  if (status === 204 || status === 205 || status === 206 || status === 304) return false;
  if (hasHeader(headers, 'content-encoding') || hasHeader(headers, 'content-range')) return false;
  if (type === '' || type === 'text/event-stream' || type.startsWith('application/grpc')) return false;
  const cacheControl = getCombined(headers, 'cache-control');
  return cacheControl === null || !parseCacheControl(cacheControl).noTransform;
}

/** Of a `Content-Length` that can be read; `null` for none. */
export function announcedBytes(headers: HeaderList): number | null {
  const text = getHeader(headers, 'content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/**
 * The head of a 304 for a client that has what was made of the response (RFC 9110 §15.4.5): what it was sent with then. `null` when
 * nothing says that it has. `varies`: what the 200 would vary on besides.
 */
export function alteredNotModified(
  head: ResponseHead,
  ifNoneMatch: string | null,
  varies: string | null,
): HeaderDraft | null {
  const etag = getHeader(head.headers, 'etag');
  const hasWeak = etag?.startsWith('"') === true && hasTag(ifNoneMatch, weakTag(etag));
  const vary = varies !== null && (hasWeak || hasHeader(head.headers, 'vary')) ? varies : null;
  if (!hasWeak && vary === null) return null;
  const draft = hasWeak ? alteredFields(head.headers) : head.headers.slice();
  if (vary !== null) addVary(draft, [vary]);
  return draft;
}

function hasTag(list: string | null, tag: string): boolean {
  const tags = list === null ? [] : parseEntityTags(list);
  return tags !== '*' && tags.includes(tag);
}
