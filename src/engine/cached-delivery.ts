import type { Altered, CacheEntry } from '../cache/entry.ts';
import { announcedLength, Fill } from '../cache/fill.ts';
import type { ExchangeTimes } from '../cache/freshness.ts';
import { updateFromHead } from '../cache/head-update.ts';
import { invalidate } from '../cache/invalidate.ts';
import { primaryKey } from '../cache/key.ts';
import { type Lookup, select } from '../cache/lookup.ts';
import { settle304, supersede } from '../cache/revalidate.ts';
import { partsAnswer, type Served, serveEntry } from '../cache/serve.ts';
import { type ForwardFacts, forwardReport, revalidatedReport, type Unstored } from '../cache/status.ts';
import { type NotStored, type Storable, storability } from '../cache/storability.ts';
import { stripTags } from '../cache/tags.ts';
import { isAboutRequest } from '../cache/ttl.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { HeaderDraft } from '../http/headers.ts';
import { isSafe } from '../http/method.ts';
import { asksForRange } from '../http/range.ts';
import { cacheRequestOf } from './cache-request.ts';
import type { Caching } from './caching.ts';
import { type FillDestination, takePart, takeRest } from './part-delivery.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { deliverStored } from './serve.ts';
import type { RoutePlan } from './snapshot.ts';

/** Requests for what could not be shared don't wait for each other for so long: by Varnish's experience, two minutes. */
const UNCACHEABLE_MS = 120_000;

/** What became of an answer's head: on its way, answered from the store (its body is dropped), or to be asked again without conditions. */
export type HeadVerdict = 'delivering' | 'answered' | 'ask-again';

type ForwardVerdict = NonNullable<ForwardFacts['verdict']>;

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
  /** What others can read; `null` for what the fill brings. */
  #landing: CacheEntry | null = null;

  constructor(parts: EngineParts, progress: Progress, route: { readonly plan: RoutePlan; readonly caching: Caching }) {
    this.#parts = parts;
    this.#progress = progress;
    this.#plan = route.plan;
    this.#caching = route.caching;
  }

  /**
   * Settles what `head` means for the cache; `delivering`: it is for the client, and not edited yet. `unreadable`: what is done, later, when
   * what it confirms can't be had. `altered`: what was made of it, where its body is another than the endpoint's.
   */
  start(head: CleanedHead, altered: Altered | null, unreadable: () => void): HeadVerdict {
    const { lookup, request } = this.#caching;
    if (lookup.kind === 'revalidate' && head.status === 304) return this.#confirm(head, lookup, unreadable);
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
    const verdict = this.#verdictOn(head, times);
    stripTags(head.headers, policy.tags);
    if (verdict.store && policy.earlyHints) {
      this.#links.learn({ request, head, verdict, epoch: lookup.epoch });
    }
    this.#progress.cacheReport = forwardReport({ lookup, status: head.status, verdict });
    if (verdict.store) this.#begin(head, { verdict, times, epoch: lookup.epoch, altered });
    else {
      if (lookup.kind === 'revalidate') supersede(this.#store, lookup.entry, head.status);
      this.#tellUnstored(head.status, verdict.why, times.receivedAtMs);
    }
    return 'delivering';
  }

  /** What the client gets in place of the endpoint's answer, which is on its way into the store; `null` for just that. */
  get served(): Served | null {
    return this.#served;
  }

  /** The head is out. Those who wait for this answer are served now, after the client that asked first. */
  landed(): void {
    if (this.#landing !== null) this.#caching.lead?.landed(this.#landing);
    else if (this.#fill !== null) this.#caching.lead?.landed(this.#fill.entry);
  }

  /** `null` unless the answer is on its way into the store; then its body goes there, and the client reads it from there. */
  get fill(): Fill | null {
    return this.#fill;
  }

  /** How many wait for this answer. */
  get waiters(): number {
    return this.#caching.lead?.waiters ?? 0;
  }

  #verdictOn(head: ResponseHead, { receivedAtMs, requestedAtMs }: ExchangeTimes): ForwardVerdict {
    const { request, policy, unstored } = this.#caching;
    const verdict = storability(request, head, policy, receivedAtMs, requestedAtMs);
    if (!verdict.store) return verdict;
    if (unstored !== undefined) return { store: false, why: unstored };
    const { fillMemory } = this.#progress.edition.snapshot.cache;
    return fillMemory.hasRoom(announcedLength(head) ?? 1) ? verdict : { store: false, why: 'fills-full' };
  }

  #begin(
    head: ResponseHead,
    how: { verdict: Storable; times: ExchangeTimes; epoch: number; altered: Altered | null },
  ): void {
    const { request } = this.#caching;
    // A list of its own: the client's is edited from here on, with cookies that are nobody else's.
    const own = { status: head.status, headers: head.headers.slice() };
    const { verdict, altered } = how;
    const fill = new Fill({ ...this.#destination(how.epoch, how.times), head: own, verdict, altered });
    const settled = (): void => this.#caching.lead?.over();
    fill.onSettled = settled;
    this.#fill = fill;
    // The endpoint sends all of it, and the client wants a part.
    if (asksForRange(request.headers)) this.#served = serveEntry(fill.entry, request, how.times.receivedAtMs);
  }

  /** Those who wait can't have this answer. */
  #tellUnstored(status: number, why: NotStored | Unstored, nowMs: number): void {
    const { lead } = this.#caching;
    if (lead === undefined) return;
    // 304: to the client's own condition. Neither says anything of the answer that the others would get.
    if (status >= 500 || status === 304) lead.failed();
    else {
      const isOwn = why === 'authorization' || why === 'fills-full' || isAboutRequest(status);
      lead.uncacheable(isOwn ? null : nowMs + UNCACHEABLE_MS);
    }
  }

  get #store() {
    return this.#progress.edition.snapshot.cache.store;
  }

  get #links() {
    return this.#progress.edition.snapshot.cache.links;
  }

  #destination(epoch: number, times: ExchangeTimes): FillDestination {
    const { request, policy } = this.#caching;
    const { fillMemory: memory, tally: tallies } = this.#progress.edition.snapshot.cache;
    const tally = tallies.of(this.#progress.route);
    return { store: this.#store, request, times, objectBytes: policy.objectBytes, epoch, tally, memory };
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
    this.#landing = outcome.entry;
    this.#progress.cacheReport = outcome.report;
    const settled = (): void => this.#caching.lead?.over();
    if (outcome.fill === null || outcome.entry === null) this.#caching.lead?.failed();
    else outcome.fill.onSettled = settled;
    return 'delivering';
  }

  /** The endpoint says that what we have still holds (RFC 9111 §4.3.3). */
  #confirm(
    head: ResponseHead,
    lookup: Caching['lookup'] & { readonly kind: 'revalidate' },
    unreadable: () => void,
  ): HeadVerdict {
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
    deliverStored(this.#progress, this.#plan, serveEntry(serve, asked, now), unreadable);
    const kept = stored ? select(this.#store.get(primaryKey(request)), request, policy) : null;
    if (kept === null) this.#caching.lead?.failed();
    else this.#caching.lead?.confirmed(kept);
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
