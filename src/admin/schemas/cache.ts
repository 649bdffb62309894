import {
  count,
  counts,
  described,
  listOf,
  mapOf,
  orNull,
  quantity,
  record,
  type Schema,
  text,
  words,
} from '../schema.ts';

const entry = {
  url: text,
  route: text,
  vary: mapOf(orNull(text)),
  status: count,
  ageSeconds: count,
  freshSeconds: described({ type: 'integer' }, 'Negative for how long it has been stale'),
  length: orNull(count),
  bytes: count,
  tags: listOf(text),
};

export const cacheSchemas: Readonly<Record<string, Schema>> = {
  CacheSummary: record({
    bytes: count,
    entries: count,
    evictions: count,
    refreshing: count,
    waiting: count,
    purged: listOf(record({ kind: text, mode: words('soft', 'hard'), count })),
    routes: listOf(
      record({
        route: text,
        requests: count,
        hitRatio: orNull(quantity),
        results: counts,
        bytesFromStore: count,
        bytesFromUpstream: count,
        stored: count,
        filling: count,
        notStored: counts,
        bypassed: counts,
      }),
    ),
  }),
  EntryPage: record({ entries: listOf(record(entry)), next: orNull(text) }),
  CachedUrl: record({
    variants: listOf(
      record({ ...entry, headers: listOf({ type: 'array', items: text, description: 'Name and value' }) }),
    ),
  }),
  Purged: record({ kind: words('url', 'prefix', 'host', 'tag', 'all'), mode: words('soft', 'hard'), purged: count }),
  CacheDisk: record({
    path: text,
    phase: words('closed', 'waiting', 'scanning', 'ready', 'suspended'),
    entries: count,
    bytes: count,
    sizeBytes: count,
    headBytes: count,
    queued: count,
    openFiles: count,
    reads: count,
    writes: count,
    evictions: count,
    dropped: counts,
    corrupt: counts,
    errors: counts,
  }),
  CacheStatus: record({ entries: count, bytes: count, arriving: count, arrivingBytes: count, waiting: count }),
};
