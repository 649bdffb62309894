import type { Altered } from '../cache/entry.ts';
import type { Fill } from '../cache/fill.ts';
import type { Served } from '../cache/serve.ts';
import { stripTags } from '../cache/tags.ts';
import type { GatewayError } from '../errors.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { type HeaderList, removeHeader } from '../http/headers.ts';
import { responseEndToEnd } from '../http/hop-by-hop.ts';
import { responseTrailers } from '../http/trailers.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { CachedDelivery, type CleanedHead, type HeadVerdict, invalidateUncached } from './cached-delivery.ts';
import type { Caching } from './caching.ts';
import { fail, internalError } from './fail.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { ResponseFeed } from './response-feed.ts';
import { dress } from './serve.ts';
import type { RoutePlan } from './snapshot.ts';
import { TransformedBody, type TransformedBodyOwner, transformAnswer } from './transforms.ts';
import type { TunnelEnd } from './tunnel.ts';

/** The answer of an endpoint, and what goes with it to the client. */
export interface Answer {
  readonly head: ResponseHead;
  readonly endpoint: Endpoint;
  /** `Host` as the endpoint got it. */
  readonly sentAuthority: string;
  /** Affinity cookie to add, or `null`. */
  readonly setCookie: string | null;
}

/** Where the body comes from. */
export interface Feeder {
  /** More can be taken, after `data` said no. */
  resume(): void;
  /** The answer will be of use after the exchange is over. */
  outlive(): void;
  /** Nobody reads any more what is on its way into the store. */
  deserted(): void;
  /** What the endpoint has confirmed can't be had from the store. Later than the answer. */
  unreadable(): void;
  /** The body can't go on: a failure of ours, or a bug. */
  bodyLost(error: GatewayError, bug: unknown): void;
}

/** So much more of a body is waited for although nobody reads it: less than a new request would cost. */
export const SMALL_REST_BYTES = 256 * 1024;

/**
 * The way back: an endpoint's answer to the client, and to the cache on the way. What is stored is what the endpoint said, with what policies
 * make of its body, before any edit of ours.
 */
export class Delivery implements TransformedBodyOwner {
  readonly #progress: Progress;
  readonly #plan: RoutePlan;
  readonly #caching: Caching | null;
  /** `null` where no cache is configured. */
  readonly #cached: CachedDelivery | null;
  /** `null` unless the body goes into the store; the client reads it from there. */
  #fill: Fill | null = null;
  #feed: ResponseFeed | null = null;
  /** `null` for a body that goes on as it comes. */
  #transformed: TransformedBody | null = null;
  #feeder: Feeder | null = null;
  #altered: Altered | null = null;
  #outlives = false;
  /** The head has come. */
  #begun = false;
  #isLast = false;

  constructor(
    parts: EngineParts,
    progress: Progress,
    route: { readonly plan: RoutePlan; readonly caching: Caching | null },
  ) {
    this.#progress = progress;
    this.#plan = route.plan;
    this.#caching = route.caching;
    this.#cached =
      route.caching === null ? null : new CachedDelivery(parts, progress, { ...route, caching: route.caching });
  }

  /** `last`: there is nothing but the head. */
  start(answer: Answer, last: boolean, feeder: Feeder): HeadVerdict {
    // Head and end in one piece: without it, a gRPC client would wait for trailers that came with the head (Trailers-Only).
    // The length that HEAD announces is the endpoint's to say.
    this.#isLast = last && this.#progress.request.method !== 'HEAD';
    const head = this.#made(this.#cleaned(answer), feeder);
    this.#begun = true;
    if (this.#cached === null) {
      invalidateUncached(this.#progress, head);
      if (this.#plan.cache !== null) stripTags(head.headers, this.#plan.cache.tags);
    } else {
      const verdict = this.#cached.start(head, this.#altered, () => feeder.unreadable());
      if (verdict !== 'delivering') {
        this.#transformed?.stop();
        return verdict;
      }
      this.#fill = this.#cached.fill;
    }
    const served = this.#cached === null ? null : this.#cached.served;
    // The client's part of it ends before the rest has come, which is stored for others.
    this.#outlives = served !== null && (served.body === null || served.span !== null);
    if (this.#outlives) feeder.outlive();
    this.#send(served === null ? head : served.head, served?.body === null, answer.setCookie);
    if (this.#fill !== null) {
      this.#sendFrom(this.#fill, served, feeder);
      return 'delivering';
    }
    const drained = (): void => this.#drained(feeder);
    this.#progress.exchange.response.onDrain = drained;
    return 'delivering';
  }

  /** The cache and what policies make of a body keep what they get. */
  get letsGo(): boolean {
    if (this.#fill !== null || this.#transformed !== null) return false;
    return this.#progress.exchange.response.letsGo === true;
  }

  data(chunk: Uint8Array): boolean {
    return this.#transformed === null ? this.give(chunk) : this.#transformed.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    const fit = trailers === null ? null : responseTrailers(trailers);
    if (this.#transformed === null) this.giveEnd(fit);
    else this.#transformed.end(fit);
  }

  give(chunk: Uint8Array): boolean {
    return this.#fill === null ? this.#progress.exchange.response.data(chunk) : this.#fill.data(chunk);
  }

  giveEnd(trailers: HeaderList | null): void {
    if (this.#fill === null) this.#progress.exchange.response.end(trailers);
    else this.#fill.end(trailers);
  }

  transformFailed(cause: GatewayError): void {
    this.#feeder?.bodyLost(cause, null);
  }

  transformBroke(bug: unknown): void {
    this.#feeder?.bodyLost(internalError(bug), bug);
  }

  /** Nothing more will come from the endpoint: it failed, or nobody waits for it any more. */
  fail(error: GatewayError): void {
    this.#transformed?.stop();
    this.#fill?.abort(error);
    fail(this.#progress, error);
  }

  /** The answer is of use to others than the exchange's own client: they wait for it or read it, or it is almost there. */
  get isWanted(): boolean {
    // Whoever still waits after a head that nothing is stored of waits for another answer.
    if (this.#fill === null) return !this.#begun && this.#cached !== null && this.#cached.waiters > 0;
    const { body, restBytes, result } = this.#fill;
    if (this.#outlives && result === null) return true;
    const ownReaders = this.isSending ? 1 : 0;
    return body.readers > ownReaders || (result === null && restBytes !== null && restBytes <= SMALL_REST_BYTES);
  }

  /** The client has not got all of what has come. */
  get isSending(): boolean {
    if (this.#feed !== null) return !this.#feed.isOver;
    return this.#fill === null && this.#transformed !== null && !this.#transformed.isOver;
  }

  /** The client is gone; what it has asked for may go on. */
  clientLeft(cause: GatewayError): void {
    this.#feed?.stop();
    if (this.#fill === null) this.#transformed?.stop();
    fail(this.#progress, cause);
  }

  /** The head of a switch to another protocol (RFC 9110 §15.2.2). */
  upgradeHead(answer: Answer): ResponseHead {
    const head = this.#cleaned(answer);
    this.#progress.status = head.status;
    return { status: head.status, headers: dress(this.#progress, this.#plan, head.headers, answer.setCookie) };
  }

  tunnelEnded({ cause, endedFirst }: TunnelEnd): void {
    // One side had said goodbye and the other did not answer, or just cut the line: that is an end, not a failure.
    if (endedFirst === null && cause !== null) this.#progress.blame(cause);
    this.#progress.exchange.response.onClose?.();
  }

  #drained(feeder: Feeder): void {
    if (this.#transformed === null) feeder.resume();
    else this.#transformed.drained();
  }

  /** What policies make of it. Nothing is made of what has no body, but of what would have one. */
  #made(head: CleanedHead, feeder: Feeder): CleanedHead {
    const transforms = this.#progress.policies?.transforms ?? null;
    if (transforms === null || (this.#isLast && head.status !== 304)) return head;
    const made = transformAnswer(this.#progress, transforms, { head, caching: this.#caching });
    if (made === null) return head;
    if (made.through !== null) {
      this.#altered = { endpointTag: made.endpointTag };
      this.#feeder = feeder;
      this.#transformed = new TransformedBody(made.through, this);
      const resume = (): void => feeder.resume();
      this.#transformed.onDrain = resume;
    }
    return made.head;
  }

  /** `whole`: there is no body to it. */
  #send(head: CleanedHead, whole: boolean, setCookie: string | null): void {
    this.#progress.status = head.status;
    const headers = dress(this.#progress, this.#plan, head.headers, setCookie);
    const { response } = this.#progress.exchange;
    if (this.#isLast || whole) response.respond({ status: head.status, headers }, null);
    else response.start({ status: head.status, headers });
  }

  /** `served`: what the client gets of it, and of what is stored already; `null` for just the body. */
  #sendFrom({ body }: Fill, served: Served | null, feeder: Feeder): void {
    const drained = (): void => this.#drained(feeder);
    body.onDrain = drained;
    const deserted = (): void => feeder.deserted();
    body.onDeserted = deserted;
    const { response } = this.#progress.exchange;
    // Nobody can store what can't be sent.
    if (response.unsendable) return;
    const { body: wanted, span } = served ?? { body, span: null };
    if (response.phase === 'started' && !this.#isLast && wanted !== null) {
      this.#feed = new ResponseFeed(this.#progress, wanted.read(span));
      this.#feed.begin();
    }
    this.#cached?.landed();
  }

  /** The answer as this gateway's origin would have sent it: end-to-end fields only, and references that clients can follow. */
  #cleaned({ head, endpoint, sentAuthority }: Answer): CleanedHead {
    const draft = responseEndToEnd(head.headers);
    // The endpoint's alternatives are not reachable through us, and lead around us (RFC 7838 §2.4).
    removeHeader(draft, 'alt-svc');
    if (this.#plan.rewriteLocation !== null) {
      const { request } = this.#progress;
      this.#plan.rewriteLocation(draft, {
        upstreamScheme: endpoint.destination.tls === null ? 'http' : 'https',
        endpointAuthority: endpoint.authority,
        sentAuthority,
        clientScheme: request.scheme,
        clientAuthority: request.authority,
        path: this.#progress.path,
      });
    }
    return { status: head.status, headers: draft };
  }
}
