import type { AdminDesk, Readiness } from '../admin/desk.ts';
import type { PurgeResult } from '../control/cache-admin.ts';
import type { CachedUrl, EntryPage } from '../control/cache-listing.ts';
import type { PolicyStatus } from '../control/policies/policy-status.ts';
import type { PlanReport, ReloadAsker, ReloadReport } from '../control/reload.ts';
import type { GatewayStatus } from '../control/status.ts';
import type { UpgradeReport } from '../control/upgrade.ts';
import type { GatewayLogs } from '../gateway/gateway-logs.ts';
import { writeText } from '../observe/exposition.ts';
import { CONTENT_TYPES, formatFor } from '../observe/exposition-format.ts';
import { merged } from './merge-status.ts';
import { tailOfAll, topOfAll } from './merge-tail.ts';
import type { DeskCall, PlainFamily } from './protocol.ts';
import { NoAnswer } from './worker-process.ts';

/** What the desk of a fleet needs of it. */
export interface FleetSources {
  /** The answers of all workers that give one, the one that has served longest first. */
  readonly askAll: (call: DeskCall) => Promise<readonly unknown[]>;
  /** The answer of one, whichever gives one. */
  readonly askOne: (call: DeskCall) => Promise<unknown>;
  /** A change by hand that workers to come are to hear of too; the result takes it back. */
  readonly remember: (key: string, call: DeskCall) => () => void;
  readonly isDraining: () => boolean;
  /** Of all workers together, those that have ended among them. */
  readonly families: () => Promise<readonly PlainFamily[]>;
  readonly workers: () => GatewayStatus['workers'];
  readonly plan: () => Promise<PlanReport>;
  readonly reload: (by: ReloadAsker) => Promise<ReloadReport>;
  readonly reloads: () => readonly ReloadReport[];
  readonly upgrade: () => Promise<UpgradeReport>;
  /** Its own; workers have theirs, at the same level. */
  readonly logs: Pick<GatewayLogs, 'level' | 'setLevel'>;
}

type Method = keyof AdminDesk;
type Answers = { readonly [M in Method]: Awaited<ReturnType<AdminDesk[M]>> };
type Answer<M extends Method> = Answers[M];

/** The desk of several workers, which are asked over their channels. Rejects with `NoAnswer` when there is nobody to ask. */
export function fleetDesk(sources: FleetSources): AdminDesk {
  const all = (method: Method, parameters: readonly unknown[]) => sources.askAll({ method, parameters });
  const one = <M extends Method>(method: M): AdminDesk[M] =>
    ((...parameters: readonly unknown[]) => sources.askOne({ method, parameters })) as AdminDesk[M];
  const together = async <M extends Method>(method: M): Promise<Answer<M>> =>
    merged(some((await all(method, [])) as readonly Answer<M>[]));
  /** All are told the same, also those that don't know the endpoint yet, and who comes later; `about` is what it replaces. */
  const byHand =
    <M extends ByHand>(method: M, about: string) =>
    async (...parameters: Parameters<AdminDesk[M]>): Promise<Answer<M>> => {
      const takeBack = sources.remember(JSON.stringify([about, ...subjectOf(parameters)]), { method, parameters });
      const answers = (await all(method, parameters)) as readonly Answer<M>[];
      const done = answers.filter(({ ok }) => ok);
      if (done.length === 0) {
        takeBack();
        return some(answers)[0];
      }
      return { ...merged(some(done)), changed: done.some((answer) => answer.ok && answer.changed) };
    };
  return {
    status: async () => ({
      ...(await together('status')),
      phase: sources.isDraining() ? 'draining' : 'serving',
      lastReload: sources.reloads().at(-1) ?? null,
      workers: sources.workers(),
    }),
    readiness: async () =>
      sources.isDraining()
        ? { ready: false, status: 'draining' }
        : readinessOf((await all('readiness', []).catch(ofNobody)) as readonly Readiness[]),
    metrics: async (accept) => {
      const format = formatFor(accept);
      const families = (await sources.families()).map((family) => ({ ...family, read: () => family.series }));
      const pieces = await writeText(families, format, () => new Promise((resolve) => setImmediate(resolve)));
      return { contentType: CONTENT_TYPES[format], pieces };
    },
    config: one('config'),
    routes: one('routes'),
    reload: (by) => sources.reload(by),
    reloads: async () => sources.reloads(),
    upgrade: () => sources.upgrade(),
    logLevel: async () => sources.logs.level,
    setLogLevel: async (level, by) => {
      sources.logs.setLevel(level, by);
      await all('setLogLevel', [level, by]);
    },
    setMaintenance: byHand('setMaintenance', 'maintenance'),
    drain: byHand('drain', 'standing'),
    disable: byHand('disable', 'standing'),
    enable: byHand('enable', 'standing'),
    setWeight: byHand('setWeight', 'weight'),
    policies: async () => ((await all('policies', [])) as readonly (readonly PolicyStatus[])[]).flat(),
    cacheSummary: () => together('cacheSummary'),
    cacheEntries: async (filter) =>
      onePage((await all('cacheEntries', [filter])) as readonly EntryPage[], filter.limit),
    cachedUrl: async (url) => everyVariant((await all('cachedUrl', [url])) as readonly (CachedUrl | null)[]),
    purge: async (target, how) => purgedBy((await all('purge', [target, how])) as readonly PurgeResult[]),
    tail: (query) => tailOfAll(query, (asked) => all('tail', [asked])),
    top: (query) => topOfAll(query, (asked) => all('tail', [asked])),
    explain: one('explain'),
    plan: () => sources.plan(),
    revocationList: one('revocationList'),
  };
}

type ByHand = 'setMaintenance' | 'drain' | 'disable' | 'enable' | 'setWeight';

/** What an order is about: the pool and the endpoint, or the route; the one after it replaces the one before. */
function subjectOf([first, second]: readonly unknown[]): readonly unknown[] {
  if (typeof first === 'string') return [first, second];
  return typeof first === 'object' && first !== null && 'route' in first ? [first.route] : [];
}

function some<T>(answers: readonly T[]): readonly [T, ...T[]] {
  const [first, ...rest] = answers;
  if (first === undefined) throw new NoAnswer('No worker answers');
  return [first, ...rest];
}

function ofNobody(): readonly never[] {
  return [];
}

/** Ready while one is: the kernel hands nothing to the others that they would not take. */
function readinessOf(workers: readonly Readiness[]): Readiness {
  return workers.find(({ ready }) => ready) ?? workers[0] ?? { ready: false, status: 'overloaded' };
}

/** Each has a page of its own store; what is behind the first page that is cut off comes with the next. */
function onePage(pages: readonly EntryPage[], limit: number): EntryPage {
  const entries = pages.flatMap((page) => page.entries).sort((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : 0));
  const ends = pages.flatMap(({ next }) => next ?? []).sort();
  const last = entries[limit - 1]?.url;
  const end = [...ends, ...(entries.length > limit && last !== undefined ? [last] : [])].sort()[0] ?? null;
  return { entries: end === null ? entries : entries.filter(({ url }) => url <= end), next: end };
}

function everyVariant(answers: readonly (CachedUrl | null)[]): CachedUrl | null {
  const known = answers.filter((answer) => answer !== null);
  return known.length === 0 ? null : { variants: known.flatMap(({ variants }) => variants) };
}

function purgedBy(results: readonly PurgeResult[]): PurgeResult {
  const refused = results.find(({ ok }) => !ok);
  if (refused !== undefined) return refused;
  const done = results.flatMap((result) => (result.ok ? [result] : []));
  return { ...some(done)[0], purged: done.reduce((sum, { purged }) => sum + purged, 0) };
}
