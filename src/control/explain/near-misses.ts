import { editDistance } from '../../config/suggest.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import type { RouteRequest } from '../../routing/route.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import { type TraceLine, trace } from '../../routing/trace.ts';
import { describeMatch } from './describe-match.ts';
import { MOST_LISTED, type NearMiss, type RouteRef } from './explanation.ts';
import type { Concealer } from './secrets.ts';

/** All routes of a listener but the winner, sorted by how near they came. */
export interface OtherRoutes {
  readonly winner: TraceLine<RoutePlan> | null;
  readonly alsoMatch: readonly RouteRef[];
  readonly nearMisses: readonly NearMiss[];
  readonly notes: readonly string[];
}

/** Asks every route of the table. About 1 µs a route. */
export function otherRoutes(table: RouteTable<RoutePlan>, request: RouteRequest, conceal: Concealer): OtherRoutes {
  const lines = trace(table, request);
  const missed = nearestFirst(
    lines.filter(({ outcome }) => outcome === 'missed'),
    request.path,
  );
  const outranked = lines.filter(({ outcome }) => outcome === 'outranked');
  const left = Math.max(0, missed.length - MOST_LISTED) + Math.max(0, outranked.length - MOST_LISTED);
  return {
    winner: lines.find(({ outcome }) => outcome === 'won') ?? null,
    alsoMatch: outranked.slice(0, MOST_LISTED).map((line) => routeRef(line, conceal)),
    nearMisses: missed.slice(0, MOST_LISTED).map((line) => nearMiss(line, conceal)),
    notes: left === 0 ? [] : [`${left} more ${left === 1 ? 'route is' : 'routes are'} further away`],
  };
}

/** The winner alone, at the price of a request. */
export function winnerOnly(table: RouteTable<RoutePlan>, request: RouteRequest): OtherRoutes {
  const matched = table.match(request);
  const winner = matched === null ? null : ({ rule: matched.rule, outcome: 'won', by: null, misses: [] } as const);
  return { winner, alsoMatch: [], nearMisses: [], notes: [] };
}

/** What a condition compares with may be a secret: an API key in a header, a path that only one partner knows. */
export function routeRef({ rule, by }: Pick<TraceLine<RoutePlan>, 'rule' | 'by'>, conceal: Concealer): RouteRef {
  const match = conceal(['routes', rule.order, 'match'], describeMatch(rule.match));
  return { name: rule.name, at: rule.at, match, by };
}

function nearMiss({ rule, misses }: TraceLine<RoutePlan>, conceal: Concealer): NearMiss {
  const match = ['routes', rule.order, 'match'];
  return {
    name: rule.name,
    at: rule.at,
    match: conceal(match, describeMatch(rule.match)),
    misses: misses.map((miss) => ({ ...miss, wanted: conceal(match, miss.wanted) })),
  };
}

type Line = TraceLine<RoutePlan>;

/**
 * The fewest conditions that fail first. Of as many, another condition than host and path is nearer than a path, and a path than a host;
 * then the path that is the same for longer; then, of those that are listed, the one with the fewest typing mistakes; then as they are tried.
 */
function nearestFirst(lines: readonly Line[], path: string): readonly Line[] {
  const ranked = lines
    .map((line) => ({ line, cost: costOf(line), shared: sharedSegments(line.rule.match.path?.value ?? '/', path) }))
    .sort((a, b) => a.cost - b.cost || b.shared - a.shared);
  const typos = new Map(ranked.slice(0, MOST_COMPARED).map(({ line }) => [line, typosIn(line, path)]));
  const typosOf = (line: Line): number => typos.get(line) ?? Number.POSITIVE_INFINITY;
  return ranked
    .sort((a, b) => a.cost - b.cost || b.shared - a.shared || compare(typosOf(a.line), typosOf(b.line)))
    .map(({ line }) => line);
}

/** Comparing texts is dear. */
const MOST_COMPARED = 5 * MOST_LISTED;
const COMPARED_LENGTH = 64;

function costOf({ misses }: Line): number {
  return misses.reduce((sum, { subject }) => sum + (subject === 'host' ? 300 : subject === 'path' ? 200 : 100), 0);
}

function typosIn({ rule, misses }: Line, path: string): number {
  if (misses[0]?.subject !== 'path') return 0;
  const pattern = (rule.match.path?.value ?? '/').slice(0, COMPARED_LENGTH);
  // A prefix is compared with as much of the path.
  const wanted =
    rule.match.path?.kind === 'prefix' ? path.split('/').slice(0, pattern.split('/').length).join('/') : path;
  return editDistance(pattern, wanted.slice(0, COMPARED_LENGTH));
}

function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function sharedSegments(pattern: string, path: string): number {
  const segments = path.split('/');
  let shared = 0;
  for (const [i, segment] of pattern.split('/').entries()) {
    if (segment !== segments[i] && !segment.startsWith('{')) break;
    shared += 1;
  }
  return shared;
}
