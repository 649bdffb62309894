import { Fill } from '../cache/fill.ts';
import { invalidate } from '../cache/invalidate.ts';
import { settle304, supersede } from '../cache/revalidate.ts';
import { serveEntry } from '../cache/serve.ts';
import { forwardReport, revalidatedReport } from '../cache/status.ts';
import { storability } from '../cache/storability.ts';
import type { GatewayError } from '../errors.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { type HeaderDraft, type HeaderList, removeHeader } from '../http/headers.ts';
import { responseEndToEnd } from '../http/hop-by-hop.ts';
import { isSafe } from '../http/method.ts';
import { responseTrailers } from '../http/trailers.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { type Caching, cacheRequestOf } from './decide.ts';
import { fail } from './fail.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { deliverStored, dress } from './serve.ts';
import type { RoutePlan } from './snapshot.ts';
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

/** What became of an answer's head: on its way, answered from the store (its body is dropped), or to be asked again without conditions. */
export type HeadVerdict = 'delivering' | 'answered' | 'ask-again';

/**
 * The way back: an endpoint's answer to the client, and to the cache on the way. What is stored is what the endpoint said,
 * before any edit of ours.
 */
export class Delivery {
  readonly #parts: EngineParts;
  readonly #progress: Progress;
  readonly #plan: RoutePlan;
  readonly #caching: Caching | null;
  #fill: Fill | null = null;
  #isLast = false;

  constructor(
    parts: EngineParts,
    progress: Progress,
    route: { readonly plan: RoutePlan; readonly caching: Caching | null },
  ) {
    this.#parts = parts;
    this.#progress = progress;
    this.#plan = route.plan;
    this.#caching = route.caching;
  }

  /** `last`: there is nothing but the head. */
  start(answer: Answer, last: boolean): HeadVerdict {
    // Head and end in one piece: without it, a gRPC client would wait for trailers that came with the head (Trailers-Only).
    // The length that HEAD announces is the endpoint's to say.
    this.#isLast = last && this.#progress.request.method !== 'HEAD';
    const head = this.#cleaned(answer);
    const { store } = this.#progress.edition.snapshot.cache;
    if (this.#caching !== null) return this.#startCached(head, answer.setCookie, this.#caching);
    // RFC 9111 §4.4: a successful unsafe request makes what is stored for its URI invalid, whichever route took it.
    if (store.entries > 0 && !isSafe(this.#progress.request.method)) {
      invalidate(store, cacheRequestOf(this.#progress, ''), head);
    }
    this.#send(head, answer.setCookie);
    return 'delivering';
  }

  data(chunk: Uint8Array): boolean {
    if (this.#fill !== null) this.#fill.data(chunk);
    return this.#progress.exchange.response.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    // Stored before the client hears of the end, so that its next request finds it.
    this.#fill?.end(trailers);
    this.#progress.exchange.response.end(trailers === null ? null : responseTrailers(trailers));
  }

  fail(error: GatewayError): void {
    this.#fill?.abort();
    fail(this.#progress, error);
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

  #startCached(head: CleanedHead, setCookie: string | null, caching: Caching): HeadVerdict {
    const { lookup, request } = caching;
    const { store } = this.#progress.edition.snapshot.cache;
    if (lookup.kind === 'revalidate' && head.status === 304) return this.#confirm(head, caching, lookup);
    if (lookup.kind === 'bypass') {
      invalidate(store, request, head);
      this.#progress.cacheReport = forwardReport({ lookup, status: head.status, verdict: null });
      this.#send(head, setCookie);
      return 'delivering';
    }
    const times = { requestedAtMs: this.#askedAtEpoch(), receivedAtMs: this.#parts.clock.now() };
    const verdict = storability(request, head, caching.policy, times.receivedAtMs);
    if (verdict.store) {
      this.#fill = new Fill({
        store,
        request,
        // A list of its own: the client's is edited from here on, with cookies that are nobody else's.
        head: { status: head.status, headers: head.headers.slice() },
        verdict,
        times,
        objectBytes: caching.policy.objectBytes,
        epoch: lookup.epoch,
      });
    } else if (lookup.kind === 'revalidate') {
      supersede(store, lookup.entry, head.status);
    }
    this.#progress.cacheReport = forwardReport({ lookup, status: head.status, verdict });
    this.#send(head, setCookie);
    return 'delivering';
  }

  /** The endpoint says that what we have still holds (RFC 9111 §4.3.3). */
  #confirm(
    head: ResponseHead,
    caching: Caching,
    lookup: Caching['lookup'] & { readonly kind: 'revalidate' },
  ): HeadVerdict {
    const { store } = this.#progress.edition.snapshot.cache;
    const now = this.#parts.clock.now();
    const times = { requestedAtMs: this.#askedAtEpoch(), receivedAtMs: now };
    const settled = settle304(store, lookup.entry, {
      request: caching.request,
      head,
      policy: caching.policy,
      times,
    });
    if (settled.kind === 'mismatch') return 'ask-again';
    const { serve, stored } = settled;
    this.#progress.cacheReport = revalidatedReport(lookup, {
      stored,
      freshMs: serve.freshMs,
      ageMs: serve.initialAgeMs,
    });
    deliverStored(this.#progress, this.#plan, serveEntry(serve, caching.request, now));
    return 'answered';
  }

  /** When the request went out, in epoch milliseconds: the age of what comes back is reckoned from there (RFC 9111 §4.2.3). */
  #askedAtEpoch(): number {
    return this.#progress.startedAtEpoch + Math.max(0, this.#progress.sentAt - this.#progress.startedAt);
  }

  #send(head: CleanedHead, setCookie: string | null): void {
    this.#progress.status = head.status;
    const headers = dress(this.#progress, this.#plan, head.headers, setCookie);
    const { response } = this.#progress.exchange;
    if (this.#isLast) response.respond({ status: head.status, headers }, null);
    else response.start({ status: head.status, headers });
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

/** A head whose list belongs to the delivery and may be edited. */
interface CleanedHead extends ResponseHead {
  readonly headers: HeaderDraft;
}
