import type { CacheDesk } from '../../src/admin/routes/cache.ts';

/** For an admin listener that is not asked for the cache. */
export const noCache: CacheDesk = {
  purge: () => Promise.reject(new Error('no cache')),
  summary: () => ({ bytes: 0, entries: 0, evictions: 0, refreshing: 0, waiting: 0, purged: [], routes: [] }),
  entries: () => Promise.resolve({ entries: [], next: null }),
  inspect: () => null,
};
