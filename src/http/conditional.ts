import { parseHttpDate } from './date.ts';
import { getCombined, getHeader, type HeaderList } from './headers.ts';

/** What identifies the selected representation; `null` where the response states none. */
export interface Validators {
  /** With its quotes and `W/`, as in the ETag field. */
  readonly etag: string | null;
  readonly lastModifiedMs: number | null;
}

export type PreconditionResult = 'proceed' | 'not-modified' | 'precondition-failed';

/**
 * Evaluates a request's preconditions against a representation that exists, in the order of RFC 9110 §13.2.2.
 * `not-modified` only for GET and HEAD. Dates that don't parse are ignored (§13.1.3, §13.1.4), as are all preconditions
 * of CONNECT, OPTIONS and TRACE (§13.2.1). If-Range is not looked at.
 */
export function evaluatePreconditions(
  method: string,
  requestHeaders: HeaderList,
  validators: Validators,
): PreconditionResult {
  if (method === 'CONNECT' || method === 'OPTIONS' || method === 'TRACE') return 'proceed';
  if (!mayMatch(requestHeaders, validators)) return 'precondition-failed';
  const reads = method === 'GET' || method === 'HEAD';
  const ifNoneMatch = getCombined(requestHeaders, 'if-none-match');
  if (ifNoneMatch !== null) {
    if (!matches(ifNoneMatch, validators.etag, weakEqual)) return 'proceed';
    return reads ? 'not-modified' : 'precondition-failed';
  }
  if (!reads || validators.lastModifiedMs === null) return 'proceed';
  const sinceMs = dateOf(requestHeaders, 'if-modified-since');
  return sinceMs !== null && validators.lastModifiedMs <= sinceMs ? 'not-modified' : 'proceed';
}

/** If-Match, or If-Unmodified-Since where there is none. */
function mayMatch(requestHeaders: HeaderList, validators: Validators): boolean {
  const ifMatch = getCombined(requestHeaders, 'if-match');
  if (ifMatch !== null) return matches(ifMatch, validators.etag, strongEqual);
  if (validators.lastModifiedMs === null) return true;
  const sinceMs = dateOf(requestHeaders, 'if-unmodified-since');
  return sinceMs === null || validators.lastModifiedMs <= sinceMs;
}

function matches(list: string, etag: string | null, equal: (a: string, b: string) => boolean): boolean {
  const tags = parseEntityTags(list);
  if (tags === '*') return true;
  return etag !== null && tags.some((tag) => equal(tag, etag));
}

function dateOf(headers: HeaderList, lower: string): number | null {
  const text = getHeader(headers, lower);
  return text === null ? null : parseHttpDate(text);
}

/** Same bytes, and neither is weak (RFC 9110 §8.8.3.2). */
export function strongEqual(a: string, b: string): boolean {
  return a === b && !a.startsWith('W/');
}

/** Same opaque tag, weak or not (RFC 9110 §8.8.3.2). */
export function weakEqual(a: string, b: string): boolean {
  return opaque(a) === opaque(b);
}

function opaque(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag;
}

// etagc excludes the quote and knows no escapes (RFC 9110 §8.8.3); commas are part of the tag.
const entityTag = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/y;

/**
 * The entity tags of an If-Match or If-None-Match list, with quotes and `W/`, or `*`. Members that are no entity tags are
 * skipped up to the next comma: a broken list matches less, never more.
 */
export function parseEntityTags(list: string): readonly string[] | '*' {
  if (list.trim() === '*') return '*';
  const tags: string[] = [];
  for (let at = 0; at < list.length; ) {
    entityTag.lastIndex = at;
    const tag = entityTag.exec(list)?.[1];
    if (tag !== undefined) {
      tags.push(tag);
      at = entityTag.lastIndex;
      continue;
    }
    const comma = list.indexOf(',', at);
    at = comma === -1 ? list.length : comma + 1;
  }
  return tags;
}
