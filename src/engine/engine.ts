import type { GatewayError } from '../errors.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { StreamExchange, StreamHandler } from '../exchange/stream.ts';
import { getHeader } from '../http/headers.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Caching } from './caching.ts';
import { type CollapseParts, collapse, missed } from './collapse.ts';
import { Consulting } from './consulting.ts';
import { type Decision, decideOn, decideWithout, listenerGone } from './decide.ts';
import { sendEarlyHints } from './early-hints.ts';
import { Edition } from './edition.ts';
import { wantsExplanation } from './explanation-field.ts';
import { fail, internalError } from './fail.ts';
import { finish } from './finish.ts';
import { Forward } from './forward.ts';
import type { EngineParts } from './parts.ts';
import { Progress } from './progress.ts';
import { purgeUri } from './purge.ts';
import { refresh } from './refresh.ts';
import { respond } from './respond.ts';
import { serve } from './serve.ts';
import type { RoutePlan, Snapshot } from './snapshot.ts';
import { serveStaleForError, staleForError } from './stale-if-error.ts';
import { poolFor, Stream } from './stream.ts';
import { beginTrace, type TracePlan } from './trace.ts';

/** Takes exchanges from every downstream and sees each to its end. Knows no protocol. */
export class Engine {
  readonly #parts: EngineParts;
  readonly #collapse: CollapseParts;
  #edition: Edition;

  constructor(parts: EngineParts, snapshot: Snapshot) {
    this.#parts = parts;
    this.#collapse = { parts, carryOut: (progress, decision) => this.#do(progress, decision) };
    this.#edition = new Edition(snapshot);
  }

  get snapshot(): Snapshot {
    return this.#edition.snapshot;
  }

  /** New exchanges get `snapshot`; `retired` is called when the last one of the edition before has ended. */
  publish(snapshot: Snapshot, retired: () => void): void {
    const before = this.#edition;
    this.#edition = new Edition(snapshot);
    before.supersede(retired);
    this.#parts.tunnels.served(snapshot);
  }

  /** Never throws: a bug ends its exchange with 500, and no other. */
  readonly handle = (exchange: Exchange): void => {
    const edition = this.#edition;
    const epoch = this.#parts.clock.now();
    const progress = new Progress(exchange, edition, {
      id: requestIdOf(exchange) ?? this.#parts.newRequestId(epoch),
      epoch,
      at: this.#parts.clock.monotonic(),
    });
    edition.pin();
    // By a name of its own, like every function that is made for one request: see "Functions in fields" in docs/architecture.md.
    const closed = (): void => {
      exchange.response.onClose = null;
      finish(this.#parts, progress);
    };
    exchange.response.onClose = closed;
    try {
      const { explain, tracing } = edition.snapshot;
      if (explain !== null) progress.explains = wantsExplanation(progress, explain);
      const decision = decideOn(progress);
      if (tracing !== null) beginTrace(progress, tracing, sampleOf(decision, tracing));
      this.#do(progress, decision);
    } catch (bug) {
      progress.bug = bug;
      fail(progress, internalError(bug));
    }
    // Forwarded, it waits already.
    if (!progress.over && progress.waitsSince === 0) progress.rest(this.#parts.clock.monotonic(), false);
  };

  /** Connections that are forwarded as they are. */
  readonly streams: StreamHandler = {
    forwards: (listener, serverName) => {
      const rules = this.#edition.snapshot.streams.get(listener);
      return rules !== undefined && poolFor(rules, serverName) !== null;
    },
    handle: (exchange) => this.#handleStream(exchange),
  };

  #handleStream(exchange: StreamExchange): void {
    const edition = this.#edition;
    const rules = edition.snapshot.streams.get(exchange.listener);
    const pool = rules === undefined ? null : poolFor(rules, exchange.serverName);
    // A listener that a reload removed may have accepted its last.
    if (rules === undefined || pool === null) exchange.channel.sink.fail(listenerGone());
    else {
      const { overload } = this.#parts;
      const refusal = overload === null || !overload.active ? null : overload.refusal('normal');
      const stream = new Stream(this.#parts, exchange, { edition, pool, idleMs: rules.idleMs });
      if (refusal === null) stream.start();
      else stream.refuse(refusal);
    }
  }

  #do(progress: Progress, decision: Decision): void {
    switch (decision.kind) {
      case 'refuse':
        fail(progress, decision.error);
        return;
      case 'reply':
        respond(progress, decision.reply, decision.plan);
        return;
      case 'serve':
        if (decision.found.refresh) this.#serveStale(progress, decision);
        else this.#serve(progress, decision);
        return;
      case 'forward':
        this.#forward(progress, decision);
        return;
      case 'consult':
        new Consulting(this.#collapse, progress, decision).begin();
        return;
      case 'purge':
        respond(progress, purgeUri(this.#parts, progress, decision.mode), decision.plan);
        return;
      case 'tunnel':
        this.#forward(progress, { plan: decision.plan, pool: decision.pool, caching: null });
    }
  }

  #serve(progress: Progress, decision: Decision & { readonly kind: 'serve' }): void {
    serve(this.#parts, progress, decision, () => this.#do(progress, decideWithout(progress, decision)));
  }

  /** The client is served first: it waits for nothing. */
  #serveStale(progress: Progress, decision: Decision & { readonly kind: 'serve' }): void {
    const { edition } = progress;
    // It may be the last exchange of a superseded edition, and over when it is served.
    edition.pin();
    try {
      this.#serve(progress, decision);
      refresh(this.#parts, progress, { ...decision, entry: decision.found.entry });
    } finally {
      edition.unpin();
    }
  }

  #forward(
    progress: Progress,
    route: { readonly plan: RoutePlan; readonly pool: Pool; readonly caching: Caching | null },
  ): void {
    const { overload } = this.#parts;
    const refusal = overload === null || !overload.active ? null : overload.refusal(route.plan.importance);
    if (refusal !== null) {
      this.#refuse(progress, refusal, route);
      return;
    }
    if (route.caching !== null) sendEarlyHints(progress, route.plan, route.caching);
    const shared = route.caching === null ? null : missed(route);
    if (shared === null) new Forward(this.#parts, progress, route).start();
    else collapse(this.#collapse, progress, shared);
  }

  /** What is stored costs no more than a refusal. */
  #refuse(
    progress: Progress,
    refusal: GatewayError,
    route: { readonly plan: RoutePlan; readonly caching: Caching | null },
  ): void {
    const refused = { parts: this.#parts, progress, ...route };
    const stale = staleForError(refused);
    if (stale === null) fail(progress, refusal);
    else serveStaleForError(stale, refusal, refused);
  }
}

/** A trusted proxy's id is kept, so that one request has one id in every log; anyone else's could be a forgery. */
function requestIdOf(exchange: Exchange): string | null {
  if (!exchange.client.trusted) return null;
  const id = getHeader(exchange.request.headers, 'x-request-id');
  return id !== null && /^[A-Za-z0-9._~:/+=-]{1,128}$/.test(id) ? id : null;
}

function sampleOf(decision: Decision, tracing: TracePlan): number {
  const plan = decision.kind === 'refuse' ? null : decision.plan;
  return plan?.traceSample ?? tracing.sample;
}
