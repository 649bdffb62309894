import '../src/cli/v8-flags.ts';
import { compileOnly } from '../src/cli/compile-only.ts';
import { CoarseClock, systemClock } from '../src/clock.ts';
import { configFromObject } from '../src/config/load.ts';
import { Engine } from '../src/engine/engine.ts';
import { ReplayMemory } from '../src/engine/kept-chunks.ts';
import { OpenTunnels } from '../src/engine/open-tunnels.ts';
import { type BodySink, noBody } from '../src/exchange/body.ts';
import type { Client, Exchange } from '../src/exchange/exchange.ts';
import type { ResponseSink } from '../src/exchange/response-sink.ts';

// CPU time of everything between downstream and transport for one proxied GET: routing, header fields both ways, the choice of an
// endpoint, delivery. Endpoint and client are objects that answer at once. Run: node bench/engine.ts, or with --cached for a hit
// in the cache in place of the endpoint, with --traced for a part in traces.

const ROUNDS = 12;
const EXCHANGES = 200_000;

const loaded = configFromObject({
  listeners: { web: { port: 0 } },
  pools: { shop: { endpoints: ['127.0.0.1:3000'] } },
  ...(process.argv.includes('--traced') ? { tracing: {} } : {}),
  routes: [{ name: 'all', pool: 'shop', ...(process.argv.includes('--cached') ? { cache: true } : {}) }],
});
if (!loaded.ok) throw new Error('Cannot load the configuration of this benchmark');
const compiled = compileOnly(loaded);
if (!compiled.ok) throw new Error('Cannot compile the configuration of this benchmark');

const nothing = { cancel: (): void => {} };
const head = {
  status: 200,
  headers: [
    ...['Server', 'origin', 'Date', new Date().toUTCString(), 'Content-Length', '1024', 'ETag', '"1"'],
    ...['Cache-Control', 'max-age=3600'],
  ],
};
const chunk = new Uint8Array(1024);
const request = {
  method: 'GET',
  target: '/items/1',
  authority: 'shop.test',
  scheme: 'http',
  version: '1.1',
  headers: ['Host', 'shop.test', 'User-Agent', 'bench', 'Accept', '*/*'],
} as const;
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

let finished = 0;
const observer = {
  finished: (): void => {
    finished += 1;
  },
  streamFinished: (): void => {},
};
const engine = new Engine(
  {
    transport: {
      send: (_attempt, into) => {
        into.sent(true);
        into.head(head, false);
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
    newRequestId: () => '01999999-9999-7999-8999-999999999999',
    replay: new ReplayMemory(0),
    random: Math.random,
    overload: null,
    tunnels: new OpenTunnels(systemClock),
  },
  compiled.snapshot,
);

/** Takes everything. */
class Taken implements ResponseSink, BodySink {
  phase: ResponseSink['phase'] = 'open';
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly unsendable = false;

  informational(): void {}

  start(): void {
    this.phase = 'started';
  }

  data(): boolean {
    return true;
  }

  end(): void {
    this.phase = 'closed';
    this.onClose?.();
  }

  respond(): void {
    this.end();
  }

  fail(): void {
    this.end();
  }
}

function handle(count: number): void {
  for (let i = 0; i < count; i += 1) {
    const exchange: Exchange = {
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
    engine.handle(exchange);
  }
}

handle(EXCHANGES);
const times = Array.from({ length: ROUNDS }, () => {
  const before = process.cpuUsage();
  handle(EXCHANGES);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / EXCHANGES;
}).sort((a, b) => a - b);
if (finished !== (ROUNDS + 1) * EXCHANGES) throw new Error(`Only ${finished} exchanges were finished`);
const [least = 0] = times;
console.log(`${least.toFixed(2)} µs an exchange at least, ${(times[ROUNDS / 2] ?? 0).toFixed(2)} µs at the median`);
