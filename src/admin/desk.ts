import type { PurgeResult, PurgeTarget } from '../control/cache-admin.ts';
import type { CachedUrl, EntryFilter, EntryPage } from '../control/cache-listing.ts';
import type { CacheSummary } from '../control/cache-summary.ts';
import type { ConfigView } from '../control/config-view.ts';
import type { ControlResult } from '../control/control.ts';
import type { Explanation } from '../control/explain/explanation.ts';
import type { Question } from '../control/explain/question.ts';
import type { MaintenanceOrder, MaintenanceResult } from '../control/maintenance-control.ts';
import type { PolicyStatus } from '../control/policies/policy-status.ts';
import type { PlanReport, ReloadAsker, ReloadReport } from '../control/reload.ts';
import type { RouteStatus } from '../control/route-status.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { UpgradeReport } from '../control/upgrade.ts';
import type { LogLevel } from '../observe/log-level.ts';
import type { FilteredTop, TailPage, TailQuery, TailRefusal } from '../observe/tail.ts';
import type { TopTable } from '../observe/top.ts';
import type { Hand } from '../upstream/events.ts';

/**
 * Everything that the admin listener reads and does. One gateway may be behind it, or a fleet of processes that are asked over a
 * channel: so what goes in and comes out is plain data that JSON can carry, every method is asynchronous and answers once. A method
 * rejects only for a bug, or when nobody is left to ask: what can't be done is said by its result.
 */
export interface AdminDesk {
  status(): Promise<GatewayStatus>;
  /** May traffic be sent here? Cheap: load balancers ask often. */
  readiness(): Promise<Readiness>;
  /** All metrics, in the format that `accept` (RFC 9110 §12.5.1; empty for none) prefers among those that there are. */
  metrics(accept: string): Promise<MetricsText>;

  /** The configuration that is served, every default filled in, and where its values are written. */
  config(): Promise<ConfigView>;
  /** All routes, in the order in which they are tried. */
  routes(): Promise<readonly RouteStatus[]>;
  /** Loads the configuration anew; resolves when it serves, or is refused. */
  reload(by: ReloadAsker): Promise<ReloadReport>;
  /** The last ones, oldest first; at most `MOST_REPORTS`. */
  reloads(): Promise<readonly ReloadReport[]>;
  /** Replaces every worker by a process that runs the code on disk; resolves when all are, or one can't be. */
  upgrade(): Promise<UpgradeReport>;
  /** Of the gateway's own log. */
  logLevel(): Promise<LogLevel>;
  setLogLevel(level: LogLevel, by: Hand): Promise<void>;
  /** Takes a route, or all of them, out of service and back. */
  setMaintenance(order: MaintenanceOrder, by: Hand): Promise<MaintenanceResult>;

  /** No new work but the sessions that it has. */
  drain(pool: string, endpoint: string, by: Hand): Promise<ControlResult>;
  /** Nothing at all: its sessions move too. */
  disable(pool: string, endpoint: string, by: Hand): Promise<ControlResult>;
  /** As it is without anybody's hand, but for its weight. */
  enable(pool: string, endpoint: string, by: Hand): Promise<ControlResult>;
  /** `null`: that of the configuration. */
  setWeight(pool: string, endpoint: string, weight: number | null, by: Hand): Promise<ControlResult>;

  /** Live state of policies, as far as it has something to tell. */
  policies(): Promise<readonly PolicyStatus[]>;

  cacheSummary(): Promise<CacheSummary>;
  cacheEntries(filter: EntryFilter): Promise<EntryPage>;
  /** Everything that is stored for one URL; `null` for what is no URL. */
  cachedUrl(url: string): Promise<CachedUrl | null>;
  purge(target: PurgeTarget, how: { readonly hard: boolean; readonly by: Hand }): Promise<PurgeResult>;

  /** Exchanges that ended lately; waits for one as long as it is told to. */
  tail(query: TailQuery): Promise<TailPage | TailRefusal>;
  /** What they come to. */
  top(query: FilteredTop): Promise<(TopTable & { readonly ok: true }) | TailRefusal>;

  /** What would become of a request, by the configuration and the state of now; nothing happens. */
  explain(question: Question): Promise<Explanation>;

  /** What a reload would change now; nothing happens. */
  plan(): Promise<PlanReport>;

  /** The current revocation list of the local CA, DER (RFC 5280 §5) in Base64; `null` while there is none. */
  revocationList(): Promise<string | null>;
}

/** Only what is `ready` is sent traffic. */
export interface Readiness {
  readonly ready: boolean;
  readonly status: 'ready' | 'overloaded' | 'draining';
}

export interface MetricsText {
  readonly contentType: string;
  /** The text, in pieces that can be sent one after the other: together they may be tens of megabytes. */
  readonly pieces: readonly string[];
}
