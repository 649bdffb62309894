import { requestTraits, usability } from '../cache/demands.ts';
import type { CacheEntry } from '../cache/entry.ts';
import type { Flight, Lead, Release, Waiter } from '../cache/flights.ts';
import { type CacheRequest, select } from '../cache/lookup.ts';
import { serveEntry } from '../cache/serve.ts';
import { collapsedReport } from '../cache/status.ts';
import type { Deadline } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import { hasHeader } from '../http/headers.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Caching } from './caching.ts';
import { consultCache, type Decision, decideWithout } from './decide.ts';
import { fail, internalError } from './fail.ts';
import { Forward } from './forward.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { deliverStored } from './serve.ts';
import type { RoutePlan } from './snapshot.ts';

/** A request that the store has no answer to. */
export interface Missed {
  readonly plan: RoutePlan;
  readonly pool: Pool;
  readonly caching: Caching & { readonly lookup: Exclude<Caching['lookup'], { readonly kind: 'bypass' }> };
}

/** What waiting depends on. */
export interface CollapseParts {
  readonly parts: EngineParts;
  /** Does what was decided when a request looked again. */
  readonly carryOut: (progress: Progress, decision: Decision) => void;
}

/** `route`, if the request may wait for others, or be waited for. */
export function missed(route: {
  readonly plan: RoutePlan;
  readonly pool: Pool;
  readonly caching: Caching | null;
}): Missed | null {
  const { caching } = route;
  if (caching === null || caching.lookup.kind === 'bypass' || caching.policy.collapse === null) return null;
  return { ...route, caching: { ...caching, lookup: caching.lookup } };
}

/**
 * Step 8 for a request that the store has no answer to: it asks the endpoint so that others can wait, waits for one that does, or
 * reads what is arriving already.
 */
export function collapse(parts: CollapseParts, progress: Progress, route: Missed): void {
  const { caching } = route;
  const { request } = caching;
  const { flights } = progress.edition.snapshot.cache;
  const nowMs = parts.parts.clock.now();
  const part = flights.find(request, (entry) => isFit(entry, caching, nowMs), nowMs);
  switch (part.kind) {
    case 'read':
      answer(parts, progress, { route, entry: part.entry });
      return;
    case 'wait':
      new Waiting(parts, progress, { route, flight: part.flight }).begin();
      return;
    case 'lead':
      if (mayLead(caching)) leads(parts, progress, { route, lead: flights.lead(request, caching.lookup.epoch) });
      else forward(parts, progress, route);
      return;
    case 'alone':
      if (part.why === 'full') forward(parts, progress, alone(route, 'collapse-full'));
      else if (mayLead(caching)) leads(parts, progress, { route, lead: flights.alone(request) });
      else forward(parts, progress, route);
  }
}

/** What others could use: HEAD brings no body, and a part of it is of use to few. */
function mayLead({ request: { method, headers }, policy }: Caching): boolean {
  return method === 'GET' && (policy.wholeRanges || !hasHeader(headers, 'range'));
}

/** May a response that is arriving, asked for before, answer this request? */
function isFit(entry: CacheEntry, { request, policy }: Caching, nowMs: number): boolean {
  if (select([entry], request, policy) === null) return false;
  return usability(entry, requestTraits(request.headers, policy.ignoreClientNoCache).demands, nowMs) === 'usable';
}

function leads(
  parts: CollapseParts,
  progress: Progress,
  { route, lead }: { readonly route: Missed; readonly lead: Lead },
): void {
  try {
    forward(parts, progress, { ...route, caching: { ...route.caching, lead } });
  } catch (bug) {
    lead.failed();
    throw bug;
  }
}

function alone(route: Missed, unstored: 'collapse-full' | 'collapse-timeout'): Missed {
  return { ...route, caching: { ...route.caching, unstored } };
}

function forward({ parts }: CollapseParts, progress: Progress, route: Missed): void {
  new Forward(parts, progress, route).start();
}

function answer(
  { parts, carryOut }: CollapseParts,
  progress: Progress,
  { route, entry }: { readonly route: Missed; readonly entry: CacheEntry },
): void {
  const { caching, plan, pool } = route;
  const { request } = caching;
  progress.cacheReport = collapsedReport(caching.lookup);
  const unreadable = (): void => carryOut(progress, decideWithout(progress, { plan, pool, request }));
  deliverStored(progress, plan, serveEntry(entry, request, parts.clock.now()), unreadable);
}

/** An exchange that waits for another one's answer: for as long as the route lets it, within its total timeout. */
class Waiting implements Waiter, Deadline {
  at = 0;
  slot = 0;
  readonly request: CacheRequest;
  readonly mayLead: boolean;
  readonly #parts: CollapseParts;
  readonly #progress: Progress;
  readonly #route: Missed;
  readonly #flight: Flight;

  constructor(
    parts: CollapseParts,
    progress: Progress,
    { route, flight }: { readonly route: Missed; readonly flight: Flight },
  ) {
    this.#parts = parts;
    this.#progress = progress;
    this.#route = route;
    this.#flight = flight;
    this.request = route.caching.request;
    this.mayLead = mayLead(route.caching);
  }

  begin(): void {
    const { exchange } = this.#progress;
    this.#flights.join(this.#flight, this);
    const clientGone = (cause: GatewayError): void => {
      this.#leave();
      fail(this.#progress, cause);
    };
    exchange.onClientGone = clientGone;
    const leftMs = Math.min(this.#leftMs(this.#waitMs), this.#leftMs(this.#totalMs));
    if (leftMs === Number.POSITIVE_INFINITY) return;
    this.#parts.parts.deadlines.arm(this, Math.max(1, leftMs));
  }

  accepts(entry: CacheEntry): boolean {
    return select([entry], this.request, this.#route.caching.policy) !== null;
  }

  released(by: Release): void {
    this.#stopWaiting();
    this.#guarded(() => this.#goOn(by));
    // Whoever leads settles that; it is still open only where nothing was begun.
    if (by.kind === 'lead' && this.#progress.bug !== null) by.lead.failed();
  }

  expire(): void {
    this.#leave();
    this.#guarded(() => {
      if (this.#leftMs(this.#totalMs) > 0) forward(this.#parts, this.#progress, alone(this.#route, 'collapse-timeout'));
      else new Forward(this.#parts.parts, this.#progress, this.#route).timedOut(totalTimeout());
    });
  }

  #goOn(by: Release): void {
    if (by.kind === 'entry') {
      answer(this.#parts, this.#progress, { route: this.#route, entry: by.entry });
      return;
    }
    // What the store has may have changed, and so may what it had then.
    const decision = this.#lookAgain();
    if (by.kind === 'again' || decision.kind !== 'forward') {
      if (by.kind === 'lead') by.lead.failed();
      this.#parts.carryOut(this.#progress, decision);
      return;
    }
    const route = missed(decision);
    if (route === null) throw new Error('Cannot go past a cache that was waited for');
    if (by.kind === 'lead') leads(this.#parts, this.#progress, { route, lead: by.lead });
    // Its own answer may show that they can be shared now.
    else if (this.mayLead) leads(this.#parts, this.#progress, { route, lead: this.#flights.alone(this.request) });
    else forward(this.#parts, this.#progress, route);
  }

  #lookAgain(): Decision {
    const { plan, pool, caching } = this.#route;
    return consultCache(this.#progress, { plan, pool }, caching.policy, this.#parts.parts.clock.now());
  }

  #guarded(deed: () => void): void {
    const progress = this.#progress;
    const { clock } = this.#parts.parts;
    progress.goOn(clock.monotonic());
    try {
      deed();
    } catch (bug) {
      progress.bug ??= bug;
      fail(progress, internalError(bug));
    }
    if (progress.waitsSince === 0) progress.rest(clock.monotonic(), false);
  }

  #leave(): void {
    this.#flights.leave(this.#flight, this);
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    this.#progress.exchange.onClientGone = null;
    this.#parts.parts.deadlines.disarm(this);
  }

  get #flights() {
    return this.#progress.edition.snapshot.cache.flights;
  }

  get #waitMs(): number {
    return this.#route.caching.policy.collapse?.waitMs ?? 0;
  }

  get #totalMs(): number {
    return this.#route.plan.timeouts.totalMs;
  }

  /** Of a time that began with the exchange; 0 is no limit. It may wait several times, but not longer for that. */
  #leftMs(limitMs: number): number {
    if (limitMs === 0) return Number.POSITIVE_INFINITY;
    return this.#progress.startedAt + limitMs - this.#parts.parts.clock.monotonic();
  }
}

function totalTimeout(): GatewayError {
  return new GatewayError('http_response_timeout', { blame: 'upstream', status: 504, reason: 'total-timeout' });
}
