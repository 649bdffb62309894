import { formatDuration, formatShare, formatSize } from '../../config/near-values.ts';
import type { LimitsConfig } from '../../config/schema/policy/limits.ts';
import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import type { RetryPolicy } from '../../upstream/retry.ts';
import type { KeyPath } from '../complaints.ts';
import { placesOf, standing } from '../policies/standing.ts';
import type { Setting } from './explanation.ts';
import type { Subject } from './subject.ts';

export interface SettingsPlace {
  /** Of the route in the configuration. */
  readonly index: number;
  readonly plan: RoutePlan;
  readonly listener: string;
  /** Where the request would go; `null` for nowhere. */
  readonly pool: string | null;
}

/** What a request of a route may take: timeouts, retries and limits as they are in force, each with where it is written. */
export function settingsOf(subject: Subject, place: SettingsPlace): readonly Setting[] {
  const { plan, pool } = place;
  const forwards = plan.action.kind !== 'reply' && pool !== null;
  return [
    ...(forwards ? poolSettings(subject.config.pools[pool], sayOfPool(subject, pool)) : []),
    ...(forwards ? routeSettings(plan, sayOfRoute(subject, place.index)) : []),
    bodySetting(subject, place),
  ];
}

type Say = (key: string, value: string) => Setting;

function sayOfRoute({ config, origins }: Subject, index: number): Say {
  return (key, value) => {
    const keys = key.split('.');
    if (isGiven(config.routes[index], keys)) return { key, value, origin: origins.where(['routes', index, ...keys]) };
    const shared = origins.whereGiven(['defaults', ...keys]);
    return { key, value, origin: shared === null ? 'default' : `defaults at ${shared}` };
  };
}

function isGiven(data: unknown, keys: KeyPath): boolean {
  let value = data;
  for (const key of keys) value = (value as Record<string, unknown> | null | undefined)?.[key];
  return value !== undefined;
}

function sayOfPool({ origins }: Subject, pool: string): Say {
  return (key, value) => {
    const at = origins.whereGiven(['pools', pool, ...key.split('.')]);
    return { key, value, origin: at === null ? 'default' : `pool ${pool} at ${at}` };
  };
}

function routeSettings({ timeouts, retry }: RoutePlan, say: Say): Setting[] {
  return [
    say('timeouts.head', orNone(timeouts.headMs)),
    say('timeouts.idle', orNone(timeouts.idleMs)),
    say('timeouts.total', orNone(timeouts.totalMs)),
    say('timeouts.tunnelIdle', orNone(timeouts.tunnelIdleMs)),
    say('retry.attempts', String(retry.attempts)),
    say('retry.on', causesOf(retry).join(', ')),
    say('retry.attemptTimeout', orNone(retry.attemptTimeoutMs)),
    say('retry.backoff.base', formatDuration(retry.backoff.baseMs)),
    say('retry.backoff.max', formatDuration(retry.backoff.maxMs)),
    say('retry.backoff.retryAfter', formatDuration(retry.backoff.retryAfterMs)),
    say('retry.bodyBuffer', formatSize(retry.bodyBytes)),
    say('retry.idempotencyKey', String(retry.idempotencyKey)),
    say('retry.hedge', hedgeText(retry)),
  ];
}

function causesOf(retry: RetryPolicy): readonly string[] {
  const causes = (['connect', 'reused', 'reset', 'timeout'] as const).filter((cause) => retry[cause]);
  return [...causes, ...[...(retry.statuses ?? [])].map(String)];
}

function hedgeText({ hedge }: RetryPolicy): string {
  if (hedge === null) return 'none';
  const { quantile, minimumMs, max } = hedge;
  return `${max} at most, when ${formatShare(quantile)} of responses have begun, not before ${formatDuration(minimumMs)}`;
}

function poolSettings(pool: PoolConfig | undefined, say: Say): Setting[] {
  if (pool === undefined) return [];
  const { connections, limits } = pool;
  const settings = [say('connections.connectTimeout', orNone(connections.connectTimeout))];
  if (limits === undefined) return settings;
  const { inFlight, perEndpoint, adaptive, queue } = limits;
  if (inFlight !== undefined) settings.push(say('limits.inFlight', String(inFlight)));
  if (perEndpoint !== undefined) settings.push(say('limits.perEndpoint', String(perEndpoint)));
  if (adaptive !== undefined) settings.push(say('limits.adaptive', `${adaptive.min} to ${adaptive.max}`));
  return [
    ...settings,
    say('limits.queue.size', String(queue.size)),
    say('limits.queue.timeout', orNone(queue.timeout)),
  ];
}

function bodySetting({ config, origins }: Subject, { index, listener }: SettingsPlace): Setting {
  const key = 'limits.body';
  const own = { path: ['routes', index], owner: '', captures: [], set: config.routes[index] ?? {} };
  const limits = standing(placesOf(config, { use: config.routes[index]?.use, place: own }, listener)).find(
    (policy) => policy.key === 'limits',
  );
  const limit = (limits?.config as LimitsConfig | undefined)?.body;
  if (limits !== undefined && limit !== undefined) {
    return { key, value: formatSize(limit), origin: origins.where([...limits.place.path, 'limits', 'body']) };
  }
  const bytes = config.listeners[listener]?.limits.bodyBytes;
  const at = origins.whereGiven(['listeners', listener, 'limits', 'bodyBytes']);
  const value = bytes === undefined ? 'none' : formatSize(bytes);
  return { key, value, origin: at === null ? 'default' : `listener ${listener} at ${at}` };
}

function orNone(ms: number): string {
  return ms === 0 ? 'none' : formatDuration(ms);
}
