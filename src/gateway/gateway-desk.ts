import type { AdminDesk, Readiness } from '../admin/desk.ts';
import type { Origins } from '../config/origins.ts';
import type { CacheAdmin } from '../control/cache-admin.ts';
import type { Compiled } from '../control/compile.ts';
import { type ConfigView, configView } from '../control/config-view.ts';
import type { Control } from '../control/control.ts';
import type { Explanation } from '../control/explain/explanation.ts';
import type { Question } from '../control/explain/question.ts';
import type { MaintenanceControl } from '../control/maintenance-control.ts';
import type { PolicyStatus } from '../control/policies/policy-status.ts';
import type { PlanReport, ReloadAsker, ReloadReport } from '../control/reload.ts';
import { routeStatuses } from '../control/route-status.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Tail } from '../observe/tail.ts';
import type { GatewayLogs } from './gateway-logs.ts';

/** What the desk of one gateway hands on to. */
export interface DeskSources {
  readonly status: () => GatewayStatus;
  /** The parts of it that readiness is made of. */
  readonly state: () => Pick<GatewayStatus, 'phase' | 'overload'>;
  readonly metrics: Pick<Metrics, 'expose'>;
  /** What is served now. */
  readonly running: () => Running;
  readonly reload: (by: ReloadAsker) => Promise<ReloadReport>;
  readonly plan: () => Promise<PlanReport>;
  readonly reloads: () => readonly ReloadReport[];
  readonly logs: Pick<GatewayLogs, 'level' | 'setLevel'>;
  readonly maintenance: MaintenanceControl;
  readonly control: Control;
  readonly policies: () => readonly PolicyStatus[];
  readonly cache: CacheAdmin;
  readonly tail: Tail;
  readonly explain: (question: Question) => Explanation;
  /** DER; `null` while there is none. */
  readonly revocationList: () => Buffer | null;
}

export interface Running {
  readonly origins: Origins;
  readonly compiled: Pick<Compiled, 'routes' | 'quarantined'>;
}

const ONE_PROCESS =
  'This gateway is a single process, without workers to replace: restart it (docs/systemd.md#socket-activation)';

/** The desk of one gateway, in its own process. */
export function gatewayDesk(sources: DeskSources): AdminDesk {
  const { status, state, metrics, control, cache, explain, revocationList } = sources;
  return {
    status: async () => status(),
    readiness: async () => readinessOf(state()),
    metrics: (accept) => metrics.expose(accept),
    config: () => viewOf(sources.running()),
    routes: async () => {
      const running = sources.running();
      return routeStatuses(running.compiled, await viewOf(running));
    },
    reload: (by) => sources.reload(by),
    plan: () => sources.plan(),
    reloads: async () => sources.reloads(),
    upgrade: async () => ({ ok: false, reason: 'one-process', message: ONE_PROCESS }),
    logLevel: async () => sources.logs.level,
    setLogLevel: async (level, by) => sources.logs.setLevel(level, by),
    setMaintenance: async (order, by) => sources.maintenance.set(order, by),
    drain: async (pool, endpoint, by) => control.drain(pool, endpoint, by),
    disable: async (pool, endpoint, by) => control.disable(pool, endpoint, by),
    enable: async (pool, endpoint, by) => control.enable(pool, endpoint, by),
    setWeight: async (pool, endpoint, weight, by) => control.setWeight(pool, endpoint, weight, by),
    policies: async () => sources.policies(),
    cacheSummary: async () => cache.summary(),
    cacheEntries: (filter) => cache.entries(filter),
    cachedUrl: async (url) => cache.inspect(url),
    purge: (target, how) => cache.purge(target, how),
    tail: (query) => sources.tail.tail(query),
    top: async (query) => sources.tail.top(query),
    explain: async (question) => explain(question),
    revocationList: async () => revocationList()?.toString('base64') ?? null,
  };
}

/** Of thousands of routes it takes a while, and changes by a reload alone. */
const views = new WeakMap<Origins, Promise<ConfigView>>();

function viewOf({ origins }: Running): Promise<ConfigView> {
  const known = views.get(origins);
  if (known !== undefined) return known;
  const view = configView(origins);
  views.set(origins, view);
  return view;
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
