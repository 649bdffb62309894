import { readableMatch } from './readable-match.ts';
import { MATCH_KEYS } from './schema/match.ts';
import { ACTIONS, ROUTE_KEYS } from './schema/route.ts';
import type { Path } from './source-tree.ts';
import { closest } from './suggest.ts';

/**
 * What becomes of a route that something is wrong with, worst last. `reduced`: it goes on without what is broken. `refused`: every
 * request that it may have taken, as far as that can be read, is answered with 503. `left-out`: nobody knows whose requests they are.
 */
export type RouteEffect = 'reduced' | 'refused' | 'left-out';

/** Something broken in a route, by its key path within it. */
export interface Broken {
  readonly path: Path;
  /** The schemas refuse what stands there. */
  readonly unreadable: boolean;
}

export interface Salvaged {
  readonly effect: RouteEffect;
  /** Without what is broken, as far as it matters: conditions that can't be met, and what the route goes on without. */
  readonly route: Data;
  /** The keys of what it goes on without. */
  readonly without: readonly string[];
}

type Data = Record<string, unknown>;

/** Nothing of these protects anybody: a route does the rest of its work without. docs/quarantine.md has the same table. */
const DISPENSABLE: ReadonlySet<string> = new Set([
  'name',
  'timeouts',
  'importance',
  'retry',
  'mirror',
  'fallback',
  'cache',
  'tracing',
  'tests',
]);

/** What says whose requests they are, and where they stand among others. */
const OWN_PLACE = ['name', 'listeners', 'match', 'priority'] as const;
const RANKS: Readonly<Record<RouteEffect, number>> = { reduced: 0, refused: 1, 'left-out': 2 };

export function worseEffect(a: RouteEffect, b: RouteEffect): RouteEffect {
  return RANKS[a] > RANKS[b] ? a : b;
}

/** What can be saved of a route. `broken` is not empty. */
export function salvageRoute(given: unknown, broken: readonly Broken[]): Salvaged {
  if (!isData(given)) return leftOut({});
  const route = { ...given };
  const without: string[] = [];
  let effect: RouteEffect = 'reduced';
  for (const { path, unreadable } of broken) {
    const verdict = judge(path, given);
    effect = worseEffect(effect, verdict.effect);
    if (verdict.key === null || verdict.key === 'match' || verdict.key === 'listeners') continue;
    if (verdict.effect === 'reduced') without.push(verdict.key);
    if (unreadable || verdict.effect === 'reduced') delete route[String(path[0])];
  }
  const match = readableMatch(given['match'], within('match', broken));
  const listeners = readableListeners(given['listeners'], within('listeners', broken));
  if (effect === 'left-out' || match === null || listeners === null)
    return leftOut(without.includes('name') ? {} : given);
  if (given['match'] !== undefined) route['match'] = match;
  if (given['listeners'] !== undefined) route['listeners'] = listeners;
  // Fewer attempts than were wanted are a pity, more may be wrong.
  if (without.includes('retry')) route['retry'] = { attempts: 1 };
  return { effect, route: effect === 'refused' ? withAction(route) : route, without };
}

/** What is left of it when nothing else could be made of it: where it stands. */
export function withoutDeeds(route: Data): Data {
  const rest: Data = { respond: {} };
  for (const key of OWN_PLACE) if (route[key] !== undefined) rest[key] = route[key];
  return rest;
}

function withAction(route: Data): Data {
  return ACTIONS.filter((key) => route[key] !== undefined).length === 1 ? route : withoutDeeds(route);
}

function leftOut({ name }: Data): Salvaged {
  return { effect: 'left-out', route: { ...(name === undefined ? {} : { name }), respond: {} }, without: [] };
}

/** `key`: the one that is broken, or that was meant; `null` for the route as such. */
function judge([step]: Path, route: Data): { readonly effect: RouteEffect; readonly key: string | null } {
  if (step === undefined) return { effect: 'refused', key: null };
  const key = String(step);
  if (DISPENSABLE.has(key)) return { effect: 'reduced', key };
  if (ROUTE_KEYS.includes(key)) return { effect: 'refused', key };
  // Indented too little: it belongs into `match`.
  if (key === 'host' || key === 'path') return { effect: 'left-out', key };
  const open = ROUTE_KEYS.filter((known) => route[known] === undefined);
  const meant = MATCH_KEYS.includes(key) ? null : closest(key, open);
  if (meant === 'match' || meant === 'listeners') return { effect: 'left-out', key };
  if (meant !== null) return { effect: DISPENSABLE.has(meant) ? 'reduced' : 'refused', key };
  return { effect: route['match'] === undefined ? 'left-out' : 'refused', key };
}

/** Those that can be read of the listeners that a route names; `null` when there is none: like a host, they say whose requests they are. */
function readableListeners(listeners: unknown, broken: readonly Path[]): unknown {
  if (broken.length === 0) return listeners;
  if (!Array.isArray(listeners)) return null;
  const gone = new Set(broken.map(([index]) => index));
  const rest = gone.has(undefined) ? [] : listeners.filter((_, index) => !gone.has(index));
  return rest.length === 0 ? null : rest;
}

function within(key: string, broken: readonly Broken[]): Path[] {
  return broken.filter(({ path }) => path[0] === key).map(({ path }) => path.slice(1));
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
