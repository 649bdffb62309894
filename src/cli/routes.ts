import type { RoutePlan } from '../engine/snapshot.ts';
import { compiledRule } from '../routing/compiled-rule.ts';
import { compareRank } from '../routing/rank.ts';
import type { RouteRule } from '../routing/route.ts';
import { describeMatch } from './describe-match.ts';

/** `headgate routes`: one line a route, in the order in which they are tried. */
export function listRoutes(rules: readonly RouteRule<RoutePlan>[], json: boolean): string {
  const inOrder = rules.map((rule) => compiledRule(rule)).sort(compareRank);
  const rows = inOrder.map(({ rule }) => ({
    name: rule.name,
    at: rule.at,
    match: describeMatch(rule.match),
    leads: leadsTo(rule.plan),
  }));
  if (json) return `${JSON.stringify({ routes: rows })}\n`;
  const width = (key: 'name' | 'match'): number => Math.max(0, ...rows.map((row) => row[key].length));
  const [name, match] = [width('name'), width('match')];
  return rows
    .map((row) => `${row.name.padEnd(name)}  ${row.match.padEnd(match)}  →  ${row.leads}  ${row.at}\n`)
    .join('');
}

export function leadsTo({ action }: RoutePlan): string {
  return action.kind === 'forward' ? `pool ${action.pool.name}` : 'own reply';
}
