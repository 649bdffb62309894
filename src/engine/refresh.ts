import type { CacheEntry } from '../cache/entry.ts';
import type { Flights } from '../cache/flights.ts';
import { type CacheRequest, refreshLookup, select } from '../cache/lookup.ts';
import type { RefreshResult } from '../cache/refreshes.ts';
import { GatewayError } from '../errors.ts';
import { noBody } from '../exchange/body.ts';
import type { Client, Exchange, RequestHead } from '../exchange/exchange.ts';
import type { ResponseHead, ResponseSink } from '../exchange/response-sink.ts';
import type { HeaderDraft, HeaderList } from '../http/headers.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Caching } from './caching.ts';
import { fail, internalError } from './fail.ts';
import { recordOf } from './finish.ts';
import { Forward } from './forward.ts';
import type { EngineParts } from './parts.ts';
import { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';
import { beginTrace } from './trace.ts';

/** A stored response that was served stale, to whom, and where it came from. */
export interface ServedStale {
  readonly plan: RoutePlan;
  readonly pool: Pool;
  readonly request: CacheRequest;
  readonly entry: CacheEntry;
}

/**
 * Asks the endpoint for a stored response anew, after a client was served it stale (RFC 5861 §3): as the client asked, but for
 * everything, and on nobody's behalf. Nothing of what becomes of it reaches a client. Does nothing while the same response is being
 * refreshed, while as many others are as may be, for a while after it has failed, and while the gateway is pressed or goes.
 */
export function refresh(parts: EngineParts, served: Progress, { plan, pool, request, entry }: ServedStale): void {
  const { cache } = served.edition.snapshot;
  const { refreshes, store } = cache;
  if (plan.cache === null || refreshes.isUnderWay(entry)) return;
  // The key it was found under, whatever the route's rules make of fields.
  const wanted: Wanted = {
    policy: plan.cache,
    request: { ...request, method: 'GET', headers: forEverybody(request.headers) },
    lookup: refreshLookup(store, entry),
  };
  if (isAskedFor(cache.flights, wanted, parts.clock.now())) return;
  const obstacle = parts.overload?.active === true ? 'overload' : refreshes.obstacle(entry, parts.clock.monotonic());
  if (obstacle !== null) {
    refreshes.skip(served.route, obstacle);
    return;
  }
  const exchange = new RefreshExchange(served.exchange);
  const progress = refreshProgress(parts, served, exchange);
  const { edition } = served;
  edition.pin();
  const closed = (): void => {
    exchange.response.onClose = null;
    const nowMs = parts.clock.monotonic();
    const result = resultOf(progress, store.has(entry));
    if (progress.cacheReport !== null) cache.tally.of(progress.route).answered(progress.cacheReport);
    refreshes.end(entry, { route: progress.route, result, nowMs });
    parts.observer.refreshed?.({ ...recordOf(progress, nowMs), refresh: { servedTo: served.requestId, result } });
    edition.unpin();
  };
  exchange.response.onClose = closed;
  refreshes.begin(entry, () => exchange.onClientGone?.(closing()));
  const lead = wanted.policy.collapse === null ? undefined : cache.flights.lead(wanted.request, wanted.lookup.epoch);
  const caching: Caching = lead === undefined ? wanted : { ...wanted, lead };
  try {
    new Forward(parts, progress, { plan: inBackground(plan), pool, caching }).start();
  } catch (bug) {
    lead?.failed();
    progress.bug = bug;
    fail(progress, internalError(bug));
  }
}

interface Wanted extends Caching {
  readonly lookup: ReturnType<typeof refreshLookup>;
}

/** A client that would not have the stale one waits for it already, or it is arriving. */
function isAskedFor(flights: Flights, { request, policy }: Wanted, nowMs: number): boolean {
  if (policy.collapse === null) return false;
  const part = flights.find(request, (arriving) => select([arriving], request, policy) !== null, nowMs);
  return part.kind === 'wait' || part.kind === 'read' || (part.kind === 'alone' && part.why === 'full');
}

/** What was found out about the client's exchange holds for this one too: the same route, key, pool, and values for edits. */
function refreshProgress(parts: EngineParts, served: Progress, exchange: Exchange): Progress {
  const epoch = parts.clock.now();
  const progress = new Progress(exchange, served.edition, {
    id: parts.newRequestId(epoch),
    epoch,
    at: parts.clock.monotonic(),
  });
  progress.isRefresh = true;
  progress.path = served.path;
  progress.query = served.query;
  progress.host = served.host;
  progress.captures = served.captures;
  progress.route = served.route;
  progress.pool = served.pool;
  progress.certificate = served.certificate;
  progress.policies = served.policies;
  progress.identity = served.identity;
  const { tracing } = served.edition.snapshot;
  if (tracing !== null && served.trace !== null) {
    const { traceId, spanId } = served.trace;
    progress.traceLink = { traceId, spanId };
    beginTrace(progress, tracing);
  }
  return progress;
}

/** Whoever waits goes first; nobody needs a second answer sooner, a copy elsewhere, or another answer instead. */
function inBackground(plan: RoutePlan): RoutePlan {
  return { ...plan, importance: 'low', mirror: null, fallback: null, retry: { ...plan.retry, hedge: null } };
}

function resultOf({ endError, bug, cacheReport }: Progress, isKept: boolean): RefreshResult {
  if (endError !== null || bug !== null) return 'failed';
  if (isKept) return 'kept';
  return cacheReport?.result === 'revalidated' ? 'confirmed' : 'replaced';
}

function closing(): GatewayError {
  return new GatewayError('http_request_error', { blame: 'gateway', status: 499, reason: 'refresh-cut-off' });
}

/**
 * What is the client's own of a request: its conditions and its part of the body are about its copy, and its `Cache-Control` would
 * let a cache behind us answer with what is just as stale. Its trace is over before a refresh is.
 */
const ONLY_THE_CLIENTS = new Set([
  ...['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range'],
  ...[
    'traceparent',
    'tracestate',
    'cache-control',
    'pragma',
    'content-length',
    'content-type',
    'transfer-encoding',
    'expect',
    'trailer',
    'te',
  ],
]);

function forEverybody(headers: HeaderList): HeaderList {
  const draft: HeaderDraft = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!ONLY_THE_CLIENTS.has(name.toLowerCase())) draft.push(name, headers[i + 1] as string);
  }
  return draft;
}

/** An exchange that nobody waits for. Its client is the one that was served: what endpoints are told of it is part of what is asked for. */
class RefreshExchange implements Exchange {
  readonly request: RequestHead;
  readonly requestBody = noBody;
  readonly response = new NobodysResponse();
  readonly client: Client;
  readonly listener: string;
  readonly upgrade = null;
  readonly sendContinue = null;
  onClientGone: ((cause: GatewayError) => void) | null = null;
  bodyMayPause = false;
  readonly bytesIn = 0;

  constructor(served: Exchange) {
    const { request, client, listener } = served;
    this.request = { ...request, method: 'GET', headers: forEverybody(request.headers) };
    this.client = client;
    this.listener = listener;
  }

  /** Of the body, as it came. */
  get bytesOut(): number {
    return this.response.bytes;
  }
}

/** Takes a response as fast as it comes, and drops it: what is of use has been stored on the way. */
class NobodysResponse implements ResponseSink {
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly unsendable = false;
  phase: 'open' | 'started' | 'closed' = 'open';
  bytes = 0;

  informational(): void {}

  start(_head: ResponseHead): void {
    this.phase = 'started';
  }

  respond(_head: ResponseHead, _body: Uint8Array | null): void {
    this.#close();
  }

  data(chunk: Uint8Array): boolean {
    this.bytes += chunk.byteLength;
    return true;
  }

  end(): void {
    this.#close();
  }

  fail(): void {
    this.#close();
  }

  #close(): void {
    this.phase = 'closed';
    this.onClose?.();
  }
}
