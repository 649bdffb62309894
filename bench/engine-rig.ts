import '../src/cli/v8-flags.ts';
import { compileOnly } from '../src/cli/compile-only.ts';
import { CoarseClock, systemClock } from '../src/clock.ts';
import { configFromObject } from '../src/config/load.ts';
import type { ConfigInput } from '../src/config/schema/config.ts';
import { Engine } from '../src/engine/engine.ts';
import { ReplayMemory } from '../src/engine/kept-chunks.ts';
import { OpenTunnels } from '../src/engine/open-tunnels.ts';
import type { Snapshot } from '../src/engine/snapshot.ts';
import type { Attempt } from '../src/exchange/attempt.ts';
import { type BodySink, noBody } from '../src/exchange/body.ts';
import type { Client, Exchange, RequestHead } from '../src/exchange/exchange.ts';
import type { ExchangeObserver } from '../src/exchange/observer.ts';
import type { ExchangeRecord } from '../src/exchange/outcome.ts';
import type { ResponseHead, ResponseSink } from '../src/exchange/response-sink.ts';
import { newRequestId } from '../src/observe/request-id.ts';

/** An engine between an endpoint that answers at once with 1 KiB and clients that take everything at once: no sockets, no turns. */
export interface EngineRig {
  readonly engine: Engine;
  readonly snapshot: Snapshot;
  /** Exchanges that are over. */
  readonly finished: number;
  /** The record of the last one; `null` before the first. */
  readonly record: ExchangeRecord | null;
  /** What the endpoint was asked last; `null` before that. */
  readonly attempt: Attempt | null;
}

/** What endpoints of benchmarks answer with. */
export const answerHead = {
  status: 200,
  headers: [
    ...['Server', 'origin', 'Date', new Date().toUTCString(), 'Content-Length', '1024', 'ETag', '"1"'],
    ...['Cache-Control', 'max-age=3600'],
  ],
};

export const usualRequest: RequestHead = {
  method: 'GET',
  target: '/items/1',
  authority: 'shop.test',
  scheme: 'http',
  version: '1.1',
  headers: ['Host', 'shop.test', 'User-Agent', 'bench', 'Accept', '*/*'],
};

const client: Client = {
  address: '192.0.2.1',
  peer: '192.0.2.1',
  peerPort: 50_000,
  trusted: false,
  forwardedBy: 'x-forwarded-for',
  localAddress: '192.0.2.2',
  localPort: 80,
  tls: null,
};

/** Compiles as `start` does. Throws when it does not compile. */
export function snapshotOf(config: ConfigInput): Snapshot {
  const loaded = configFromObject(config);
  if (!loaded.ok) throw new Error(`Cannot load the configuration: ${loaded.diagnostics[0]?.message}`);
  const compiled = compileOnly(loaded);
  if (!compiled.ok) throw new Error(`Cannot compile the configuration: ${compiled.diagnostics[0]?.message}`);
  return compiled.snapshot;
}

/** `config` has a listener `web` and a route for what is asked. Throws when it does not compile. `also` hears of every exchange too. */
export function engineRig(config: ConfigInput, also: ExchangeObserver | null = null): EngineRig {
  const snapshot = snapshotOf(config);
  const state = { finished: 0, record: null as ExchangeRecord | null, attempt: null as Attempt | null };
  const observer = {
    finished: (record: ExchangeRecord): void => {
      state.finished += 1;
      state.record = record;
      also?.finished(record);
    },
    streamFinished: (): void => {},
  };
  const nothing = { cancel: (): void => {} };
  const chunk = new Uint8Array(1024);
  const engine = new Engine(
    {
      transport: {
        send: (attempt, into) => {
          state.attempt = attempt;
          into.sent(true);
          into.head(answerHead, false);
          into.data(chunk);
          into.end(null);
          return nothing;
        },
        retain: () => {},
        connections: () => ({ open: 0, busy: 0, queued: 0 }),
        drain: () => Promise.resolve(),
      },
      clock: systemClock,
      deadlines: new CoarseClock(systemClock),
      observer,
      streams: { open: () => nothing, connections: () => 0, drain: () => Promise.resolve() },
      streamObserver: observer,
      newRequestId,
      replay: new ReplayMemory(0),
      random: Math.random,
      overload: null,
      tunnels: new OpenTunnels(systemClock),
    },
    snapshot,
  );
  return {
    engine,
    snapshot,
    get finished() {
      return state.finished;
    },
    get record() {
      return state.record;
    },
    get attempt() {
      return state.attempt;
    },
  };
}

/** A request on the listener `web`, whose answer nobody reads. */
export function exchangeFor(request: RequestHead): Exchange {
  return {
    request,
    requestBody: noBody,
    response: new Taken(),
    client,
    listener: 'web',
    upgrade: null,
    sendContinue: null,
    onClientGone: null,
    bodyMayPause: false,
    bytesIn: 0,
    bytesOut: 0,
  };
}

/** What `exchange` was answered with: the head, and the body if it came with it. Throws when it was not. */
export function answerTo({ response }: Exchange): { readonly head: ResponseHead; readonly body: Uint8Array | null } {
  if (!(response instanceof Taken) || response.head === null) throw new Error('No answer');
  return { head: response.head, body: response.body };
}

/** Takes everything. */
class Taken implements ResponseSink, BodySink {
  head: ResponseHead | null = null;
  body: Uint8Array | null = null;
  phase: ResponseSink['phase'] = 'open';
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly unsendable = false;

  informational(): void {}

  start(head: ResponseHead): void {
    this.head = head;
    this.phase = 'started';
  }

  data(): boolean {
    return true;
  }

  end(): void {
    this.phase = 'closed';
    this.onClose?.();
  }

  respond(head: ResponseHead, body: Uint8Array | null): void {
    this.head = head;
    this.body = body;
    this.end();
  }

  fail(): void {
    this.end();
  }
}
