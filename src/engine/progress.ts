import type { ErrorCode, GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import type { ClientCertificateFacts } from '../exchange/client-certificate.ts';
import type { Client, Exchange, RequestHead } from '../exchange/exchange.ts';
import type { CacheReport, FallbackNote, Side } from '../exchange/outcome.ts';
import { grpcStatusIn, isGrpc } from '../http/grpc.ts';
import type { HeaderDraft, HeaderList } from '../http/headers.ts';
import type { PolicyRequest } from '../policy/admit.ts';
import type { Identity } from '../policy/identity.ts';
import type { PolicyPlan } from '../policy/policy-plan.ts';
import type { RequestMessage } from '../routing/body/request-message.ts';
import { type Captures, noCaptures } from '../routing/route.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { RetryReason } from '../upstream/retry-account.ts';
import type { Edition } from './edition.ts';
import type { OwnTrace } from './trace.ts';

/** The pool's budget is spent; the deadline would pass in the pause; the endpoint asks for a longer pause than the route makes. */
export type RetryObstacle = 'budget' | 'deadline' | 'retry-after';

/** One client must not fill a log line. */
const MOST_NOTES = 8;

/**
 * What is known of one exchange so far: filled in as it goes, read by templates on the way and by the log at the end.
 * One object an exchange, and every field present from the start, so that it keeps one hidden class.
 */
export class Progress implements PolicyRequest {
  readonly exchange: Exchange;
  readonly edition: Edition;
  readonly requestId: string;
  readonly startedAtEpoch: number;
  /** Monotonic milliseconds, like every other time here. */
  readonly startedAt: number;

  /** Canonical path and raw query: what routing, policies, cache key and upstream all see. */
  path = '';
  query: string | null = null;
  host = '';
  captures: Captures = noCaptures;
  route = '';
  /** Where it is written: `routes/shop.yaml:12`. */
  routeAt = '';
  pool: string | null = null;
  lastEndpoint: Endpoint | null = null;
  /** What is forwarded. */
  requestBody: BodySource;
  /** The same as routes look at it; `null` where none does. */
  message: RequestMessage | null = null;
  /** Those of the listener until there is a route; `null` for none. */
  policies: PolicyPlan | null = null;
  identity: Identity | null = null;
  hypothetical = false;
  /** Key of the policy that has answered or refused. */
  decidedBy: string | null = null;
  /** What policies have to say in the log. */
  notes: string[] | null = null;
  /** Fields that policies add to the response. */
  responseFields: HeaderDraft | null = null;
  #atEnd: (() => void)[] | null = null;
  /** The client is told, with the response, what was done with its request. */
  explains = false;
  /** Path and query as they went upstream, for that client; `null` while nothing has. */
  explainedTarget: string | null = null;
  /** What was done instead when no response came from the pool. */
  fallback: FallbackNote | null = null;
  /** Tells the client's browser which pool of a split it has; `null` for nothing to tell. */
  splitCookie: string | null = null;
  /** `Strict-Transport-Security`, whoever answers; `null` for none. */
  hsts: string | null = null;
  /** The client's certificate, where endpoints are told of it. */
  certificate: ClientCertificateFacts | null = null;
  /** The route's limit, else the listener's; `null` for none. */
  bodyLimitBytes: number | null = null;
  attempts = 0;
  /** Why each attempt after the first was made; `null` for none. */
  retries: RetryReason[] | null = null;
  /** What kept the exchange from one more; `null` when nothing did but the failure itself. */
  noRetry: RetryObstacle | null = null;
  reusedConnection = false;
  sentAt = 0;
  firstByteAt = 0;
  /** How long the last attempt waited for its connection; -1 while it has none. */
  connectMs = -1;
  /** Since when nothing can be done before somebody else does something; 0 while there is something to do. */
  waitsSince = 0;
  waitsForEndpoint = false;
  /** All waits that are over, and those for endpoints among them. What is left of the total is what Headgate itself took. */
  waitedMs = 0;
  upstreamMs = 0;
  /** Its record is written. */
  over = false;
  /** Early hints of ours were sent, or there were none to send. */
  hinted = false;
  /** No client asked: a stored response is refreshed in the background. */
  isRefresh = false;
  /** `null` where Headgate takes no part in traces. */
  trace: OwnTrace | null = null;
  /** Begins a trace of its own because of this span. */
  traceLink: OwnTrace['link'] = null;
  /** What the cache did; `null` where none is configured. */
  cacheReport: CacheReport | null = null;
  status = 0;
  /** The head of a gRPC response went out: what happens now can be told in its trailers. */
  grpcBegun = false;
  grpcStatus: number | null = null;
  endSide: Side = 'gateway';
  endReason = 'complete';
  endError: ErrorCode | null = null;
  bug: unknown = null;

  constructor(
    exchange: Exchange,
    edition: Edition,
    stamp: { readonly id: string; readonly epoch: number; readonly at: number },
  ) {
    this.exchange = exchange;
    this.requestBody = exchange.requestBody;
    this.edition = edition;
    this.requestId = stamp.id;
    this.startedAtEpoch = stamp.epoch;
    this.startedAt = stamp.at;
  }

  get request(): RequestHead {
    return this.exchange.request;
  }

  get client(): Client {
    return this.exchange.client;
  }

  get endpoint(): string | null {
    return this.lastEndpoint === null ? null : this.lastEndpoint.origin;
  }

  note(text: string): void {
    this.notes ??= [];
    if (this.notes.length < MOST_NOTES) this.notes.push(text);
  }

  addResponseField(name: string, value: string): void {
    this.responseFields ??= [];
    this.responseFields.push(name, value);
  }

  atEnd(release: () => void): void {
    this.#atEnd ??= [];
    this.#atEnd.push(release);
  }

  /** The exchange is over. */
  release(): void {
    const releases = this.#atEnd;
    this.#atEnd = null;
    if (releases !== null) for (const release of releases) release();
  }

  /** All that can be done at `now` is done: it waits for an endpoint, or for a client, a turn, another one's answer. */
  rest(now: number, forEndpoint: boolean): void {
    if (this.over || this.waitsSince !== 0) return;
    this.waitsSince = now;
    this.waitsForEndpoint = forEndpoint;
  }

  /** There is something to do again, from `now` on. */
  goOn(now: number): void {
    if (this.waitsSince === 0) return;
    const ms = now - this.waitsSince;
    this.waitsSince = 0;
    this.waitedMs += ms;
    if (this.waitsForEndpoint) this.upstreamMs += ms;
  }

  /** The head of the answer to a gRPC request came. */
  noteGrpc(headers: HeaderList): void {
    this.grpcBegun = isGrpc(headers) && this.request.version === '2';
    this.grpcStatus = grpcStatusIn(headers);
  }

  /** The exchange ended because of `cause`. The first cause counts: what follows is its consequence. */
  blame(cause: GatewayError): void {
    if (this.endError !== null) return;
    this.endSide = cause.blame;
    this.endReason = cause.reason;
    this.endError = cause.code;
  }
}
