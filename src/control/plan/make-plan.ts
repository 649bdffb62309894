import type { Origins } from '../../config/origins.ts';
import type { Config } from '../../config/schema/config.ts';
import type { ListenerConfig } from '../../config/schema/listener.ts';
import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { EndpointAddress } from '../../upstream/endpoint.ts';
import type { Compiled } from '../compile.ts';
import type { Quarantined } from '../quarantine.ts';
import type { GatewayStatus } from '../status.ts';
import { changedKeys, namesOf } from './changed-keys.ts';
import { movedRequests } from './moved-requests.ts';
import type { Drained, ListenerChanges, Plan, PoolChanges } from './plan.ts';
import { planRoutes } from './plan-routes.ts';

/** One of the two configurations that are compared. */
export interface PlanSide {
  readonly config: Config;
  readonly origins: Origins;
  readonly compiled: Pick<Compiled, 'routes' | 'quarantined' | 'snapshot'>;
}

export interface PlanContext {
  /** Sections, and keys of sections (`cache.size`), that are looked at once, when the process starts. */
  readonly once: readonly string[];
  /** Of the gateway that serves by `before`; `null` when none does. */
  readonly live: Pick<GatewayStatus, 'listeners' | 'pools'> | null;
  /** Whether to look for requests that other routes would take, which costs two look-ups for each route. */
  readonly requests: boolean;
  /** Would this change of a listener drain its connections? Those of TLS, of routing and of answers do not. */
  readonly drains: (name: string, before: ListenerConfig, next: ListenerConfig) => boolean;
}

const OWN_SECTIONS: ReadonlySet<string> = new Set(['routes', 'pools', 'listeners']);

/** Compares what two configurations mean; in short steps, since a gateway may be serving meanwhile. */
export function* planSteps(before: PlanSide, next: PlanSide, context: PlanContext): Generator<void, Plan> {
  const moved = context.requests ? yield* movedRequests(before, next) : [];
  const routes = { ...(yield* planRoutes(before, next)), moved };
  const pools = yield* planPools(before.config.pools, next.config.pools);
  const listeners = planListeners(before.config.listeners, next.config.listeners, context);
  const sections = changedKeys(before.config, next.config)
    .filter((section) => !OWN_SECTIONS.has(section))
    .map((section) => ({ section, keys: keysWithin(before.config, next.config, section) }));
  const needsRestart = sections
    .flatMap(({ section, keys }) => [section, ...keys.map((key) => `${section}.${key}`)])
    .filter((what) => context.once.includes(what));
  const drained = whoDrains({ pools, listeners, next }, context);
  const lists = [routes, pools, listeners].flatMap((changes) => Object.values(changes) as (readonly unknown[])[]);
  const quarantined = newOutages(before, next);
  const same = [...lists, sections, quarantined].every((list) => list.length === 0);
  return { same, routes, pools, listeners, quarantined, sections, drained, needsRestart };
}

function keysWithin(before: Config, next: Config, section: string): readonly string[] {
  const [a, b] = [before, next].map((config) => (config as Readonly<Record<string, unknown>>)[section]);
  return isMap(a) && isMap(b) ? changedKeys(a, b) : [];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function* planPools(before: Config['pools'], next: Config['pools']): Generator<void, PoolChanges> {
  const { added, removed, kept } = namesOf(before, next);
  const changed: PoolChanges['changed'][number][] = [];
  for (const name of kept) {
    const [a, b] = [before[name], next[name]];
    yield;
    if (a === undefined || b === undefined) continue;
    const keys = changedKeys(a, b);
    if (keys.length === 0) continue;
    const [was, will] = [addressesOf(a), addressesOf(b)];
    const endpoints = {
      added: [...will].filter((address) => !was.has(address)),
      removed: [...was].filter((address) => !will.has(address)),
    };
    changed.push({ name, keys, endpoints });
  }
  return { added, removed, changed };
}

function addressesOf({ endpoints }: PoolConfig): ReadonlySet<string> {
  return new Set(endpoints.map(({ address }) => addressText(address)));
}

/** As it is written in a configuration. */
function addressText(address: EndpointAddress): string {
  if ('socketPath' in address) return `unix:${address.socketPath}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.secure ? 'https://' : ''}${host}:${address.port}`;
}

/** Routes are told with the others. */
function newOutages(before: PlanSide, next: PlanSide): Plan['quarantined'] {
  const known = new Set([
    ...before.compiled.quarantined.filter(isOut).map(({ kind, name }) => `${kind} ${name}`),
    // Those that were good once serve on, whatever becomes of their files.
    ...certificateFiles(before.config).map((file) => `certificate ${file}`),
  ]);
  return next.compiled.quarantined
    .filter(isOut)
    .flatMap(({ kind, name, file, line, message }) =>
      kind === 'route' || known.has(`${kind} ${name}`) ? [] : [{ kind, name, at: `${file}:${line}`, message }],
    );
}

function certificateFiles({ listeners }: Config): readonly string[] {
  const all = Object.values(listeners).flatMap(({ tls }) => tls ?? []);
  return all.flatMap(({ certificate, certificates }) => [
    ...(certificate === undefined ? [] : [certificate]),
    ...certificates.flatMap((one) => one.certificate ?? one.pkcs12 ?? []),
  ]);
}

function isOut({ effect }: Quarantined): boolean {
  return effect !== 'kept';
}

function planListeners(
  before: Config['listeners'],
  next: Config['listeners'],
  { drains }: PlanContext,
): ListenerChanges {
  const { added, removed, kept } = namesOf(before, next);
  const changed = kept.flatMap((name) => {
    const [a, b] = [before[name], next[name]];
    if (a === undefined || b === undefined) return [];
    const keys = changedKeys(a, b);
    return keys.length === 0 ? [] : [{ name, keys, drains: drains(name, a, b) }];
  });
  return { opened: added, closed: removed, changed };
}

function whoDrains(
  { pools, listeners, next }: { pools: PoolChanges; listeners: ListenerChanges; next: PlanSide },
  { live }: PlanContext,
): readonly Drained[] {
  if (live === null) return [];
  const leaving = new Set([
    ...listeners.closed,
    ...listeners.changed.filter(({ drains }) => drains).map(({ name }) => name),
  ]);
  const drainedListeners = live.listeners
    .filter(({ name }) => leaving.has(name))
    .map(({ name, connections }): Drained => ({ kind: 'listener', name, underWay: connections }));
  const concerned = new Set([...pools.removed, ...pools.changed.map(({ name }) => name)]);
  const drainedEndpoints = live.pools
    .filter(({ name }) => concerned.has(name))
    .flatMap(({ name, endpoints }) => {
      const staying = new Set(next.compiled.snapshot.pools.get(name)?.endpoints.map(({ origin }) => origin));
      return endpoints
        .filter(({ origin }) => !staying.has(origin))
        .map(({ origin, inFlight }): Drained => ({ kind: 'endpoint', name: `${name} ${origin}`, underWay: inFlight }));
    });
  return [...drainedListeners, ...drainedEndpoints];
}
