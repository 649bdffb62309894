import type { Config } from '../config/schema/config.ts';
import type { Complaints } from './complaints.ts';

/** What several processes can't have in common is refused, rather than half working. */
export function vetWorkers({ workers, cache, listeners }: Config, complaints: Complaints): void {
  if (workers === 1) return;
  const suggestion = 'remove it, or set workers: 1';
  if (cache.disk !== undefined) {
    const message = 'the directory of the cache is one process’s alone, and there may be several workers';
    complaints.add(['cache', 'disk'], { message, suggestion });
  }
  for (const [name, { tls }] of Object.entries(listeners)) {
    if (tls?.acme === undefined) continue;
    const message = 'each of several workers would order certificates of its own, and not know the others’ challenges';
    complaints.add(['listeners', name, 'tls', 'acme'], { message, suggestion });
  }
}
