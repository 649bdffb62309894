import { Fill } from '../cache/fill.ts';
import type { ExchangeTimes } from '../cache/freshness.ts';
import { updateFromHead } from '../cache/head-update.ts';
import { invalidate } from '../cache/invalidate.ts';
import type { Lookup } from '../cache/lookup.ts';
import { settle304, supersede } from '../cache/revalidate.ts';
import { partsAnswer, type Served, serveEntry } from '../cache/serve.ts';
import { forwardReport, revalidatedReport } from '../cache/status.ts';
import { storability } from '../cache/storability.ts';
import { stripTags } from '../cache/tags.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { HeaderDraft } from '../http/headers.ts';
import { isSafe } from '../http/method.ts';
import { asksForRange } from '../http/range.ts';
import { type Caching, cacheRequestOf } from './decide.ts';
import { type FillDestination, takePart, takeRest } from './part-delivery.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { deliverStored } from './serve.ts';
import type { RoutePlan } from './snapshot.ts';

/** What became of an answer's head: on its way, answered from the store (its body is dropped), or to be asked again without conditions. */
export type HeadVerdict = 'delivering' | 'answered' | 'ask-again';

/** A head whose list belongs to the delivery and may be edited. */
export interface CleanedHead extends ResponseHead {
  readonly headers: HeaderDraft;
}

/** The cache's part in the delivery of an answer: what the head means for what is stored, and the fill. */
export class CachedDelivery {
  readonly #parts: EngineParts;
  readonly #progress: Progress;
  readonly #plan: RoutePlan;
  readonly #caching: Caching;
  #fill: Fill | null = null;
  #served: Served | null = null;

  constructor(parts: EngineParts, progress: Progress, route: { readonly plan: RoutePlan; readonly caching: Caching }) {
    this.#parts = parts;
    this.#progress = progress;
    this.#plan = route.plan;
    this.#caching = route.caching;
  }

  /** Settles what `head` means for the cache; `delivering`: it is for the client, and not edited yet. */
  start(head: CleanedHead): HeadVerdict {
    const { lookup, request } = this.#caching;
    if (lookup.kind === 'revalidate' && head.status === 304) return this.#confirm(head, lookup);
    if (lookup.kind === 'bypass') {
      invalidate(this.#store, request, head, this.#progress.edition.snapshot.cache.keys);
      this.#progress.cacheReport = forwardReport({ lookup, status: head.status, verdict: null });
      stripTags(head.headers, this.#caching.policy.tags);
      return 'delivering';
    }
    const times = { requestedAtMs: this.#askedAtEpoch(), receivedAtMs: this.#parts.clock.now() };
    const { policy } = this.#caching;
    if (request.method === 'HEAD') updateFromHead(this.#store, { request, head, policy, times, epoch: lookup.epoch });
    const isRest = lookup.kind === 'complete' && (head.status === 206 || head.status === 304 || head.status === 416);
    if (isRest || head.status === 206) return this.#startPart(head, isRest ? lookup : null, times);
    const verdict = storability(request, head, policy, times.receivedAtMs);
    stripTags(head.headers, this.#caching.policy.tags);
    if (verdict.store) {
      if (this.#caching.policy.earlyHints) this.#links.learn({ request, head, verdict, epoch: lookup.epoch });
      // A list of its own: the client's is edited from here on, with cookies that are nobody else's.
      const own = { status: head.status, headers: head.headers.slice() };
      this.#fill = new Fill({ ...this.#destination(lookup.epoch, times), head: own, verdict });
      // The endpoint sends all of it, and the client wants a part.
      if (asksForRange(request.headers)) this.#served = serveEntry(this.#fill.entry, request, times.receivedAtMs);
    } else if (lookup.kind === 'revalidate') {
      supersede(this.#store, lookup.entry, head.status);
    }
    this.#progress.cacheReport = forwardReport({ lookup, status: head.status, verdict });
    return 'delivering';
  }

  /** What the client gets in place of the endpoint's answer, which is on its way into the store; `null` for just that. */
  get served(): Served | null {
    return this.#served;
  }

  /** `null` unless the answer is on its way into the store; then its body goes there, and the client reads it from there. */
  get fill(): Fill | null {
    return this.#fill;
  }

  get #store() {
    return this.#progress.edition.snapshot.cache.store;
  }

  get #links() {
    return this.#progress.edition.snapshot.cache.links;
  }

  #destination(epoch: number, times: ExchangeTimes): FillDestination {
    const { request, policy } = this.#caching;
    const tally = this.#progress.edition.snapshot.cache.tally.of(this.#progress.route);
    return { store: this.#store, request, times, objectBytes: policy.objectBytes, epoch, tally };
  }

  /** `rest`: it is what was to complete a stored response. */
  #startPart(
    head: CleanedHead,
    rest: (Lookup & { readonly kind: 'complete' }) | null,
    times: ExchangeTimes,
  ): HeadVerdict {
    const { lookup, policy } = this.#caching;
    if (lookup.kind === 'bypass') throw new Error('Cannot store for a cache that was not asked');
    const answer = { head, caching: this.#caching, destination: this.#destination(lookup.epoch, times) };
    const outcome = rest === null ? takePart(answer, lookup) : takeRest(answer, rest);
    if (outcome === null) return 'ask-again';
    stripTags(head.headers, policy.tags);
    this.#fill = outcome.fill;
    this.#served = outcome.served;
    this.#progress.cacheReport = outcome.report;
    return 'delivering';
  }

  /** The endpoint says that what we have still holds (RFC 9111 §4.3.3). */
  #confirm(head: ResponseHead, lookup: Caching['lookup'] & { readonly kind: 'revalidate' }): HeadVerdict {
    const { request, policy } = this.#caching;
    const now = this.#parts.clock.now();
    const times = { requestedAtMs: this.#askedAtEpoch(), receivedAtMs: now };
    const settled = settle304(this.#store, lookup.entry, { request, head, policy, times, epoch: lookup.epoch });
    if (settled.kind === 'mismatch') return 'ask-again';
    const { serve, stored } = settled;
    // Its tag may be weak now, so that the client's If-Range does not hold, and it wants more than there is.
    if (serve.parts !== null && !partsAnswer(serve.parts, serve, request)) return 'ask-again';
    this.#progress.cacheReport = revalidatedReport(lookup, {
      stored,
      freshMs: serve.freshMs,
      ageMs: serve.initialAgeMs,
    });
    // A refresh has nobody to read it to.
    const asked = this.#progress.isRefresh ? { ...request, method: 'HEAD' } : request;
    deliverStored(this.#progress, this.#plan, serveEntry(serve, asked, now));
    return 'answered';
  }

  /** When the request went out, in epoch milliseconds: the age of what comes back is reckoned from there (RFC 9111 §4.2.3). */
  #askedAtEpoch(): number {
    return this.#progress.startedAtEpoch + Math.max(0, this.#progress.sentAt - this.#progress.startedAt);
  }
}

/** RFC 9111 §4.4: a successful unsafe request makes what is stored for its URI invalid, whichever route took it. */
export function invalidateUncached(progress: Progress, head: ResponseHead): void {
  const { store, keys } = progress.edition.snapshot.cache;
  if (store.entries === 0 || isSafe(progress.request.method)) return;
  invalidate(store, cacheRequestOf(progress, null), head, keys);
}
