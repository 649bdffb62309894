import type { AdminDesk, Readiness } from '../admin/desk.ts';
import type { CacheAdmin } from '../control/cache-admin.ts';
import type { Control } from '../control/control.ts';
import { explain } from '../control/explain/explain.ts';
import type { Subject } from '../control/explain/subject.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { Metrics } from '../observe/metrics.ts';

/** What the desk of one gateway hands on to. */
export interface DeskSources {
  readonly status: () => GatewayStatus;
  /** The parts of it that readiness is made of. */
  readonly state: () => Pick<GatewayStatus, 'phase' | 'overload'>;
  readonly metrics: Pick<Metrics, 'expose'>;
  readonly control: Control;
  readonly cache: CacheAdmin;
  /** What is served now, to ask questions of. */
  readonly subject: () => Subject;
  /** DER; `null` while there is none. */
  readonly revocationList: () => Buffer | null;
}

/** The desk of one gateway, in its own process. */
export function gatewayDesk({ status, state, metrics, control, cache, subject, revocationList }: DeskSources): AdminDesk {
  return {
    status: async () => status(),
    readiness: async () => readinessOf(state()),
    metrics: (accept) => metrics.expose(accept),
    drain: async (pool, endpoint, by) => control.drain(pool, endpoint, by),
    disable: async (pool, endpoint, by) => control.disable(pool, endpoint, by),
    enable: async (pool, endpoint, by) => control.enable(pool, endpoint, by),
    setWeight: async (pool, endpoint, weight, by) => control.setWeight(pool, endpoint, weight, by),
    cacheSummary: async () => cache.summary(),
    cacheEntries: (filter) => cache.entries(filter),
    cachedUrl: async (url) => cache.inspect(url),
    purge: (target, how) => cache.purge(target, how),
    explain: async (question) => explain(subject(), question),
    revocationList: async () => revocationList()?.toString('base64') ?? null,
  };
}

/**
 * While only some requests are refused it stays ready: whoever then sent its traffic to the other gateways would overload these. Not
 * ready once it refuses everything.
 */
function readinessOf({ phase, overload }: Pick<GatewayStatus, 'phase' | 'overload'>): Readiness {
  if (phase !== 'serving') return { ready: false, status: 'draining' };
  if (overload?.active !== true) return { ready: true, status: 'ready' };
  return { ready: overload.severity < 1, status: 'overloaded' };
}
