import type { ResponseHead } from '../exchange/response-sink.ts';
import { weakEqual } from '../http/conditional.ts';
import { parseHttpDate } from '../http/date.ts';
import { getHeader } from '../http/headers.ts';
import type { CacheEntry } from './entry.ts';
import { matchesVary, primaryKey } from './key.ts';
import { apply304, type Validation } from './revalidate.ts';
import type { CacheStore } from './store.ts';

/**
 * What the answer to a HEAD says of the stored responses that a GET could have been answered with (RFC 9111 §4.3.5): those that it
 * agrees with get its fields and a new age, the others are stale from now on. Gone is stale too: a 404 or 410 to HEAD is one to GET. Other
 * statuses say nothing. What would be stored no longer (`private`, `no-store`) is only made stale: this client's HEAD may be answered
 * otherwise than everybody's GET.
 */
export function updateFromHead(store: CacheStore, { request, head, policy, times, epoch }: Validation): void {
  const { status } = head;
  if (status !== 200 && status !== 404 && status !== 410) return;
  // Updating changes the list.
  for (const entry of [...store.get(primaryKey(request))]) {
    if (entry.partition !== request.partition || !matchesVary(entry.vary, request)) continue;
    // An unsafe request or a purge came between: the endpoint may have answered before it.
    if (store.invalidatedSince(entry, epoch)) continue;
    const { keep } =
      status === 200 && agrees(entry, head)
        ? apply304(entry, { request: { ...request, method: 'GET' }, head, policy, times })
        : { keep: null };
    if (keep === null) store.expire(entry, times.receivedAtMs);
    else if (!store.invalidatedSince(keep, epoch)) store.replace(entry, keep);
  }
}

/** Every validator that came is that of `entry`, and so is the length. Tags are compared as those of a 304. */
function agrees(entry: CacheEntry, { headers }: ResponseHead): boolean {
  const etag = getHeader(headers, 'etag');
  if (etag !== null && (entry.etag === null || !weakEqual(etag, entry.etag))) return false;
  const lastModified = getHeader(headers, 'last-modified');
  if (lastModified !== null && parseHttpDate(lastModified) !== entry.lastModifiedMs) return false;
  const length = getHeader(headers, 'content-length');
  return length === null || entry.body.length === null || Number(length) === entry.body.length;
}
