import type { RoutePlan } from '../engine/snapshot.ts';
import { compiledRule } from '../routing/compiled-rule.ts';
import { compareRank } from '../routing/rank.ts';
import type { RouteRule } from '../routing/route.ts';
import { describeMatch } from './describe-match.ts';
import type { StreamRow } from './stream-rows.ts';

export interface Listed {
  readonly rules: readonly RouteRule<RoutePlan>[];
  readonly streams: readonly StreamRow[];
}

/** `headgate routes`: one line a route, in the order in which they are tried; before them, what is forwarded unread. */
export function listRoutes({ rules, streams }: Listed, json: boolean): string {
  const inOrder = rules.map((rule) => compiledRule(rule)).sort(compareRank);
  const rows = inOrder.map(({ rule }) => ({
    name: rule.name,
    at: rule.at,
    match: describeMatch(rule.match),
    leads: leadsTo(rule.plan),
  }));
  if (json) return `${JSON.stringify({ streams, routes: rows })}\n`;
  const unread = streams.map((row) => ({
    name: row.listener,
    match: row.match,
    leads: `pool ${row.pool}`,
    at: 'as it is',
  }));
  const all = [...unread, ...rows];
  const width = (key: 'name' | 'match'): number => Math.max(0, ...all.map((row) => row[key].length));
  const [name, match] = [width('name'), width('match')];
  return all
    .map((row) => `${row.name.padEnd(name)}  ${row.match.padEnd(match)}  →  ${row.leads}  ${row.at}\n`)
    .join('');
}

export function leadsTo({ action }: RoutePlan): string {
  if (action.kind === 'reply') return 'own reply';
  if (action.kind === 'refuse') return '503';
  if (action.kind === 'forward') return `pool ${action.pool.name}`;
  return `split ${action.split.branches.map(({ pool, weight }) => `${pool.name} ${weight}`).join(', ')}`;
}
