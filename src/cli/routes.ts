import type { Origins } from '../config/origins.ts';
import type { Config } from '../config/schema/config.ts';
import { closest, didYouMean } from '../config/suggest.ts';
import { describeMatch } from '../control/explain/describe-match.ts';
import { type Concealer, concealer } from '../control/explain/secrets.ts';
import type { RoutePlan } from '../engine/snapshot.ts';
import { compiledRule } from '../routing/compiled-rule.ts';
import { hostRank } from '../routing/host-pattern.ts';
import { compareRank } from '../routing/rank.ts';
import type { RouteMatch, RouteRule } from '../routing/route.ts';
import { type StreamRow, streamRows } from './stream-rows.ts';
import { table } from './table.ts';
import { UsageError } from './usage-error.ts';

export interface RoutesOptions {
  readonly json: boolean;
  /** Only what this listener serves; `null` for all. */
  readonly listener: string | null;
  /** Only what leads to this pool; `null` for all. */
  readonly pool: string | null;
  /** Only what may take requests for this host, in lower case; `null` for all. */
  readonly host: string | null;
}

export interface Listed {
  readonly config: Pick<Config, 'listeners' | 'pools' | 'routes'>;
  readonly origins: Origins;
  readonly rules: readonly RouteRule<RoutePlan>[];
}

/**
 * `headgate routes`: the routes in the order in which they are tried; before them, what is forwarded unread.
 * @throws UsageError for a listener or pool that does not exist
 */
export function listRoutes({ config, origins, rules }: Listed, options: RoutesOptions): string {
  refuseUnknown('listener', options.listener, Object.keys(config.listeners));
  refuseUnknown('pool', options.pool, Object.keys(config.pools));
  const rows = rules
    .map((rule) => compiledRule(rule))
    .sort((a, b) => hostRankOf(b.rule.match) - hostRankOf(a.rule.match) || compareRank(a, b))
    .map(({ rule }) => rowOf(rule, config.routes[rule.order], concealer(origins)))
    .filter((row) => isWanted(row, options));
  const streams = streamRows(config).filter((row) => isStreamWanted(row, options));
  if (options.json) return `${JSON.stringify({ streams, routes: rows.map(({ hosts: _, ...row }) => row) })}\n`;
  const unread = streams.map(({ listener, match, pool }) => ['', listener, match, `pool ${pool}, as it is`, '']);
  const tried = rows.map(({ name, listeners, match, leads, at }) => {
    return [name, listeners?.join(', ') ?? 'every', match, leads, name === at ? '' : at];
  });
  if (unread.length + tried.length === 0) return 'No route\n';
  return table(['ROUTE', 'LISTENER', 'MATCH', 'LEADS TO', 'WHERE'], [...unread, ...tried]);
}

/** Tables ask for the host of a request first: an exact name goes before wildcards, longer ones first, and those before none. */
function hostRankOf({ host }: RouteMatch): number {
  return Math.max(
    0,
    ...(host ?? []).map((pattern) => (pattern.startsWith('*') ? pattern.length : Number.MAX_SAFE_INTEGER)),
  );
}

interface Row {
  readonly name: string;
  /** `null` for every one. */
  readonly listeners: readonly string[] | null;
  readonly match: string;
  /** For people: `pool shop`, `redirect https://…`. */
  readonly leads: string;
  readonly pools: readonly string[];
  readonly at: string;
  readonly file: string;
  readonly line: number;
  readonly hosts: readonly string[] | undefined;
}

function rowOf(rule: RouteRule<RoutePlan>, route: Config['routes'][number] | undefined, conceal: Concealer): Row {
  const [, file = rule.at, line = '0'] = /^(.*):(\d+)$/s.exec(rule.at) ?? [];
  return {
    name: rule.name,
    listeners: rule.listeners,
    match: conceal(['routes', rule.order, 'match'], describeMatch(rule.match)),
    leads: conceal(['routes', rule.order, 'redirect'], replyOf(route) ?? leadsTo(rule.plan)),
    pools: poolsOf(rule.plan),
    at: rule.at,
    file,
    line: Number(line),
    hosts: rule.match.host,
  };
}

function replyOf(route: Config['routes'][number] | undefined): string | null {
  if (route?.redirect !== undefined) return `redirect ${route.redirect.to}`;
  return route?.respond === undefined ? null : `respond ${route.respond.status}`;
}

function poolsOf({ action }: RoutePlan): string[] {
  if (action.kind === 'forward') return [action.pool.name];
  return action.kind === 'split' ? action.split.branches.map(({ pool }) => pool.name) : [];
}

function isWanted({ listeners, pools, hosts }: Row, { listener, pool, host }: RoutesOptions): boolean {
  if (listener !== null && listeners !== null && !listeners.includes(listener)) return false;
  if (pool !== null && !pools.includes(pool)) return false;
  return host === null || hostRank(hosts, host) >= 0;
}

/** What is forwarded unread has no host but the server names that it is told by. */
function isStreamWanted(row: StreamRow, { listener, pool, host }: RoutesOptions): boolean {
  if (listener !== null && row.listener !== listener) return false;
  if (pool !== null && row.pool !== pool) return false;
  return host === null || row.names === null || hostRank(row.names, host) >= 0;
}

function refuseUnknown(what: string, name: string | null, known: readonly string[]): void {
  if (name === null || known.includes(name)) return;
  const near = closest(name, known);
  const listed = known.length === 0 ? `There is no ${what}` : `There are ${known.join(', ')}`;
  throw new UsageError(`${what} “${name}” does not exist`, near === null ? listed : `D${didYouMean(near).slice(1)}`);
}

export function leadsTo({ action }: RoutePlan): string {
  if (action.kind === 'reply') return 'own reply';
  if (action.kind === 'refuse') return '503';
  if (action.kind === 'forward') return `pool ${action.pool.name}`;
  return `split ${action.split.branches.map(({ pool, weight }) => `${pool.name} ${weight}`).join(', ')}`;
}
