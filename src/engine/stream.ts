import type { GatewayError } from '../errors.ts';
import type { InFlight } from '../exchange/attempt.ts';
import type { ByteChannel } from '../exchange/body.ts';
import type { ExchangeEnd } from '../exchange/outcome.ts';
import type { StreamExchange, StreamReceiver, StreamRecord } from '../exchange/stream.ts';
import { type AttemptMark, nextSerial } from '../upstream/attempt-watcher.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { type Admission, mustWait } from '../upstream/limit/admission.ts';
import type { PoolLimit } from '../upstream/limit/pool-limit.ts';
import type { Pool } from '../upstream/pool.ts';
import { breakerRefusal } from './breaker-refusal.ts';
import type { Edition } from './edition.ts';
import { internalError, unavailable } from './fail.ts';
import type { EngineParts } from './parts.ts';
import type { Snapshot, StreamRules } from './snapshot.ts';
import { hasEndpoint, type Joined } from './still-led.ts';
import { splice, type TunnelEnd } from './tunnel.ts';
import { turnOf } from './turn.ts';

/** A client waits for as many endpoints in turn; one of so many would have answered. */
const MOST_ATTEMPTS = 10;

/** Where a listener sends a connection with this SNI; `null` when nowhere. */
export function poolFor(rules: StreamRules, serverName: string | null): Pool | null {
  return (serverName === null ? null : rules.names.find(serverName)) ?? rules.pool;
}

interface StreamAttempt extends AttemptMark {
  readonly endpoint: Endpoint;
  /** On the monotonic clock. */
  readonly begunAt: number;
  connected: boolean;
}

/**
 * One client connection joined to one connection of an endpoint. What can't be connected to is passed over for the next
 * endpoint: nothing was sent yet, the client's first bytes wait. From then on every byte, every end and every reset of either
 * side is the other's.
 */
export class Stream implements StreamReceiver {
  readonly #parts: EngineParts;
  readonly #exchange: StreamExchange;
  readonly #edition: Edition;
  readonly #pool: Pool;
  readonly #idleMs: number;
  readonly #startedAt: number;
  readonly #startedAtEpoch: number;
  readonly #tried: Endpoint[] = [];
  #current: StreamAttempt | null = null;
  #opening: InFlight | null = null;
  /** Not `null` once it had to wait for its turn. */
  #admission: Admission | null = null;
  #connectMs: number | null = null;
  #over = false;

  constructor(
    parts: EngineParts,
    exchange: StreamExchange,
    way: { readonly edition: Edition; readonly pool: Pool; readonly idleMs: number },
  ) {
    this.#parts = parts;
    this.#exchange = exchange;
    this.#edition = way.edition;
    this.#pool = way.pool;
    this.#idleMs = way.idleMs;
    this.#startedAt = parts.clock.monotonic();
    this.#startedAtEpoch = parts.clock.now();
  }

  /** Never throws: a bug ends this stream, and no other. */
  start(): void {
    this.#edition.pin();
    const clientGone = (cause: GatewayError): void => {
      this.#opening?.cancel();
      this.#finish(endBy(cause));
    };
    this.#exchange.onClientGone = clientGone;
    try {
      this.#attempt(null);
    } catch (bug) {
      this.#bug(bug);
    }
  }

  /** In place of `start`. */
  refuse(error: GatewayError): void {
    this.#edition.pin();
    this.#giveUp(error);
  }

  #attempt(lastError: GatewayError | null): void {
    const { breaker } = this.#pool;
    const refusal = breaker === null ? null : breakerRefusal(breaker);
    if (refusal !== null) {
      this.#giveUp(lastError ?? refusal);
      return;
    }
    if (this.#tried.length >= MOST_ATTEMPTS) {
      this.#giveUp(lastError ?? unavailable(this.#pool));
      return;
    }
    const { limit } = this.#pool;
    const endpoint = limit === null || limit.open ? this.#pick() : null;
    if (limit !== null && mustWait(this.#pool, endpoint, this.#tried)) this.#awaitTurn(limit, lastError);
    else if (endpoint === null) this.#giveUp(lastError ?? unavailable(this.#pool));
    else this.#begin(endpoint);
  }

  #pick(): Endpoint | null {
    return this.#pool.pick({
      clientAddress: this.#exchange.client.address,
      facts: null,
      session: null,
      tried: this.#tried,
    });
  }

  /** As requests wait: connections are as important as those that say nothing of it. */
  #awaitTurn(limit: PoolLimit, lastError: GatewayError | null): void {
    this.#admission = turnOf(this.#pool, limit, {
      importance: 'normal',
      again: this.#tried.length > 0,
      plain: this.#tried.length === 0,
      tried: this.#tried,
      lastError,
      pick: () => this.#pick(),
      begin: (endpoint) => this.#begin(endpoint),
      none: (error) => this.#giveUp(error),
      broke: (bug) => this.#bug(bug),
    });
    this.#admission.wait();
  }

  #begin(endpoint: Endpoint): void {
    const attempt = {
      endpoint,
      serial: nextSerial(),
      status: 0,
      connected: false,
      begunAt: this.#parts.clock.monotonic(),
    };
    this.#current = attempt;
    this.#tried.push(endpoint);
    this.#pool.began(endpoint, attempt);
    const { destination } = endpoint;
    const opening = this.#parts.streams.open({ destination, client: this.#exchange.client }, this);
    // It may have failed within `open`, and the next one may already be under way.
    if (!this.#over && this.#current === attempt) this.#opening = opening;
  }

  opened(channel: ByteChannel): void {
    this.#opening = null;
    this.#exchange.onClientGone = null;
    const now = this.#parts.clock.monotonic();
    this.#connectMs = now - this.#startedAt;
    const attempt = this.#current as StreamAttempt;
    attempt.connected = true;
    this.#pool.answered(attempt.endpoint, now - attempt.begunAt, attempt);
    const idleMs = this.#idleMs;
    const joined = { pool: this.#pool, endpoint: attempt.endpoint };
    const isLedBy = (snapshot: Snapshot): boolean => this.#isLed(joined, snapshot);
    const ends = { client: this.#exchange.channel, upstream: channel, idleMs, halfClosedMs: idleMs, isLedBy };
    try {
      splice(this.#parts, ends, (end) => this.#finish(endOf(end)));
    } catch (bug) {
      channel.sink.fail(internalError(bug));
      this.#bug(bug);
    }
  }

  #isLed(joined: Joined, snapshot: Snapshot): boolean {
    const { listener, serverName } = this.#exchange;
    const rules = snapshot.streams.get(listener);
    // What comes over a listener that is gone is drained with it.
    if (rules === undefined) return !snapshot.listeners.has(listener);
    return hasEndpoint(joined, snapshot) && poolFor(rules, serverName)?.name === joined.pool.name;
  }

  failed(error: GatewayError): void {
    if (this.#over) return;
    this.#opening = null;
    const attempt = this.#current as StreamAttempt;
    this.#pool.failed(attempt.endpoint, error, attempt);
    if (error.retry !== 'always') {
      this.#giveUp(error);
      return;
    }
    this.#pool.ended(attempt.endpoint, attempt);
    this.#current = null;
    try {
      this.#attempt(error);
    } catch (bug) {
      this.#bug(bug);
    }
  }

  #bug(bug: unknown): void {
    const error = internalError(bug);
    this.#exchange.onClientGone = null;
    this.#exchange.channel.sink.fail(error);
    this.#finish({ ...endBy(error), bug });
  }

  #giveUp(error: GatewayError): void {
    this.#exchange.onClientGone = null;
    this.#exchange.channel.sink.fail(error);
    this.#finish(endBy(error));
  }

  #finish(end: ExchangeEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#admission?.leave();
    if (this.#current !== null) this.#pool.ended(this.#current.endpoint, this.#current);
    this.#parts.streamObserver.streamFinished(this.#record(end));
    this.#edition.unpin();
  }

  #record(end: ExchangeEnd): StreamRecord {
    const exchange = this.#exchange;
    return {
      id: this.#parts.newRequestId(this.#startedAtEpoch),
      listener: exchange.listener,
      clientAddress: exchange.client.address,
      serverName: exchange.serverName,
      startedAtEpoch: this.#startedAtEpoch,
      bytesIn: exchange.bytesIn,
      bytesOut: exchange.bytesOut,
      totalMs: this.#parts.clock.monotonic() - this.#startedAt,
      connectMs: this.#connectMs,
      pool: this.#pool.name,
      endpoint: this.#tried.at(-1)?.origin ?? null,
      attempts: this.#tried.length,
      end,
    };
  }
}

function endOf({ cause, endedFirst }: TunnelEnd): ExchangeEnd {
  if (cause !== null) return endBy(cause);
  return { side: endedFirst ?? 'gateway', reason: 'complete', error: null, bug: null };
}

function endBy(cause: GatewayError): ExchangeEnd {
  return { side: cause.blame, reason: cause.reason, error: cause.code, bug: null };
}
