import type { CompiledRule } from './compiled-rule.ts';
import { hostRank } from './host-pattern.ts';
import { pathMatches } from './path-pattern.ts';
import { oneOf, pathText } from './predicate.ts';
import { type Criterion, compareRank, decidedBy } from './rank.ts';
import type { RouteRequest, RouteRule } from './route.ts';
import type { RouteTable } from './route-table.ts';

/** A condition that did not hold: `header x-beta` is `"1"`, wants `"on"`. */
export interface Miss {
  readonly subject: string;
  readonly wanted: string;
  readonly actual: string;
}

export interface TraceLine<T> {
  readonly rule: RouteRule<T>;
  readonly outcome: 'won' | 'outranked' | 'missed';
  /**
   * `won`: what put it before the next one that holds, `null` if no other does. `outranked`: what put the winner before it.
   * `missed`: `null`.
   */
  readonly by: Criterion | null;
  /** `missed`: every condition that failed, the decisive one first; else empty. Host first, then path, then the others. */
  readonly misses: readonly Miss[];
}

/**
 * The matching of `RouteTable.match`, in words: one line per rule of the table. First the rules whose host and path hold, in the
 * order in which they are tried, so that near misses stand above the winner they would have beaten; then those on other paths;
 * then those on other hosts. For people: about 1 µs a rule, and as many lines as there are rules.
 */
export function trace<T>(table: RouteTable<T>, request: RouteRequest): readonly TraceLine<T>[] {
  const candidates = table.compiled.map((compiled) => candidateOf(compiled, request)).sort(compareCandidates);
  const holding = candidates.filter((candidate) => candidate.misses.length === 0);
  const [winner, next] = holding;
  return candidates.map((candidate) => {
    const { misses } = candidate;
    const { rule } = candidate.compiled;
    if (misses.length > 0 || winner === undefined) return { rule, outcome: 'missed', by: null, misses };
    if (candidate !== winner) return { rule, outcome: 'outranked', by: criterion(winner, candidate), misses };
    return { rule, outcome: 'won', by: next === undefined ? null : criterion(winner, next), misses };
  });
}

interface Candidate<T> {
  readonly compiled: CompiledRule<T>;
  readonly hostRank: number;
  readonly misses: readonly Miss[];
  /** 0: host and path hold; 1: the host does; 2: neither need. */
  readonly distance: 0 | 1 | 2;
}

function candidateOf<T>(compiled: CompiledRule<T>, request: RouteRequest): Candidate<T> {
  const { host, path } = compiled.rule.match;
  const rank = hostRank(host, request.host);
  const isOnPath = pathMatches(compiled.path, request.path);
  const misses: Miss[] = [];
  if (rank < 0) misses.push({ subject: 'host', wanted: oneOf(host ?? []), actual: request.host });
  if (!isOnPath) misses.push({ subject: 'path', wanted: pathText(path), actual: request.path });
  for (const predicate of compiled.predicates) {
    if (predicate.holds(request)) continue;
    misses.push({ subject: predicate.subject, wanted: predicate.wanted, actual: predicate.actual(request) });
  }
  return { compiled, hostRank: rank, misses, distance: rank < 0 ? 2 : isOnPath ? 0 : 1 };
}

function compareCandidates(a: Candidate<unknown>, b: Candidate<unknown>): number {
  return a.distance - b.distance || b.hostRank - a.hostRank || compareRank(a.compiled, b.compiled);
}

function criterion(winner: Candidate<unknown>, other: Candidate<unknown>): Criterion {
  return winner.hostRank === other.hostRank ? decidedBy(winner.compiled, other.compiled) : 'host';
}
