/**
 * Many kept-alive connections of which few are active: `node bench/crowd-client.ts PORT CONNECTIONS ACTIVE SECONDS`. Opens all, then keeps
 * ACTIVE requests in flight for so long, each on one of the connections that are free, drawn at random. Prints JSON (`Crowd`).
 */
import { type Failure, percentile, RawClient } from './raw-client.ts';

/** What it prints. */
export interface Crowd {
  readonly opened: number;
  /** Still open at the end. */
  readonly kept: number;
  readonly requests: number;
  /** By why. `silent`: no answer when everything was over. */
  readonly errors: Readonly<Record<Failure | 'silent' | 'closed idle', number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Being connected at a time: a queue of more would only measure the queue. */
const CONCURRENCY = 64;
/** From several addresses, as many clients would be: one has 28 000 ports at most. */
const ADDRESSES = 40;
const PATIENCE_MS = 10_000;
const MOST_TIMES = 2_000_000;

const [port = 0, count = 0, active = 0, seconds = 0] = process.argv.slice(2).map(Number);
if (!(seconds > 0)) throw new Error('Give a port, connections, how many are active, and seconds');

const errors = { connect: 0, closed: 0, status: 0, malformed: 0, silent: 0, 'closed idle': 0 };
const free: RawClient[] = [];
const startedAt = new Map<RawClient, number>();
const times = new Float64Array(MOST_TIMES);
let opened = 0;
let requests = 0;
let ended = false;
let settled: (client: RawClient) => void = () => {};

let next = 0;
await Promise.all(Array.from({ length: CONCURRENCY }, work));
const until = performance.now() + seconds * 1_000;
settled = () => (performance.now() < until ? ask() : undefined);
for (let i = 0; i < active; i += 1) ask();
setTimeout(() => setInterval(() => startedAt.size === 0 && report(), 10), seconds * 1_000);
setTimeout(report, seconds * 1_000 + PATIENCE_MS);

async function work(): Promise<void> {
  while (next < count) {
    const index = next++;
    await new Promise<void>((resolve) => {
      new RawClient({
        port,
        target: '/1k',
        localAddress: `127.0.0.${2 + (index % ADDRESSES)}`,
        connected: (client) => {
          opened += 1;
          free.push(client);
          resolve();
        },
        done: (client, failure) => {
          resolve();
          finished(client, failure);
        },
      });
    });
  }
}

/** On any connection that is free. */
function ask(): void {
  while (free.length > 0) {
    const at = Math.floor(Math.random() * free.length);
    const client = free[at] as RawClient;
    free[at] = free.at(-1) as RawClient;
    free.pop();
    if (client.open) {
      startedAt.set(client, performance.now());
      client.send();
      return;
    }
    errors['closed idle'] += 1;
  }
}

function finished(client: RawClient, failure: Failure | null): void {
  const began = startedAt.get(client);
  startedAt.delete(client);
  if (failure !== null) errors[failure] += 1;
  if (began === undefined) return;
  if (failure === null && requests < MOST_TIMES) {
    times[requests] = performance.now() - began;
    requests += 1;
  }
  if (client.open) free.push(client);
  settled(client);
}

function report(): void {
  if (ended) return;
  ended = true;
  errors.silent = startedAt.size;
  const kept = free.filter(({ open }) => open).length;
  errors['closed idle'] += free.length - kept;
  const measured = times.subarray(0, requests);
  const crowd: Crowd = {
    ...{ opened, kept, requests, errors },
    p50Ms: percentile(measured, 0.5),
    p99Ms: percentile(measured, 0.99),
  };
  process.stdout.write(`${JSON.stringify(crowd)}\n`, () => process.exit(0));
}
