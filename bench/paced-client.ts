/**
 * Constant load: `node bench/paced-client.ts PORT TARGET RATE SECONDS CONNECTIONS`, after two seconds that are not counted. Prints JSON
 * (`Paced`). Open loop: request n is due at n ÷ RATE, and its time counts from then, whether or not a connection was free to send it on;
 * so a proxy that stalls is charged for all requests that had to wait, and not only for those it had (no coordinated omission). The loop
 * spins, because timers of a millisecond would send in bursts: start it with `chrt --idle 0`, so that the origin always goes first.
 */
import { readFileSync } from 'node:fs';
import { type Failure, percentile, RawClient } from './raw-client.ts';

/** What it prints. */
export interface Paced {
  readonly requests: number;
  readonly failures: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** By how much this process itself was late for a request, because it had not got its core: what it can't tell from a slow proxy. */
  readonly ownP99Ms: number;
  /** Share of the time that it waited for its core: some of it is the origin's; with most of it, it can't keep up. */
  readonly ownWait: number;
}

const WARM_UP_SECONDS = 2;
/** For the last answers. */
const PATIENCE_MS = 5_000;

const [port = 0, target = '/', rate = 0, seconds = 0, connections = 0] = process.argv
  .slice(2)
  .map((text, index) => (index === 1 ? text : Number(text))) as [number, string, number, number, number];
if (!(rate > 0)) throw new Error('Give a port, a target, requests a second, seconds and a number of connections');

const free: RawClient[] = [];
const dueOf = new Map<RawClient, number>();
const total = Math.ceil(rate * seconds);
const times = new Float64Array(total);
const late = new Float64Array(total);
let answered = 0;
let sent = 0;
let failures = 0;

const opened = await Promise.all(
  Array.from(
    { length: connections },
    () =>
      new Promise<RawClient>((resolve, reject) => {
        new RawClient({
          port,
          target,
          connected: resolve,
          done: (client, failure) => {
            if (failure === 'connect') reject(new Error('Cannot connect'));
            else finished(client, failure);
          },
        });
      }),
  ),
);
free.push(...opened);
const countedFrom = performance.now() + WARM_UP_SECONDS * 1_000;
const until = countedFrom + seconds * 1_000;
const gapMs = 1_000 / rate;
const waitedBefore = waitedMs();
const startedAt = performance.now();
let dueAt = startedAt;
let turnedAt = dueAt;
setImmediate(turn);

function turn(): void {
  const now = performance.now();
  while (dueAt <= now && dueAt < until) {
    // The one that has been free for the longest: none is idle for so long that it would be closed.
    const client = free.shift();
    if (client === undefined) break;
    if (!client.open) continue;
    if (dueAt >= countedFrom && sent < total) {
      late[sent] = now - Math.max(dueAt, turnedAt);
      sent += 1;
    }
    dueOf.set(client, dueAt);
    client.send();
    dueAt += gapMs;
  }
  turnedAt = now;
  if ((dueAt < until || dueOf.size > 0) && now < until + PATIENCE_MS) setImmediate(turn);
  else report();
}

function finished(client: RawClient, failure: Failure | null): void {
  const due = dueOf.get(client) as number;
  dueOf.delete(client);
  if (client.open) free.push(client);
  if (due < countedFrom) return;
  if (failure !== null) failures += 1;
  else if (answered < total) {
    times[answered] = performance.now() - due;
    answered += 1;
  }
}

function report(): void {
  const measured = times.subarray(0, answered);
  const paced: Paced = {
    requests: answered,
    failures: failures + dueOf.size,
    p50Ms: percentile(measured, 0.5),
    p99Ms: percentile(measured, 0.99),
    ownP99Ms: percentile(late.subarray(0, sent), 0.99),
    ownWait: (waitedMs() - waitedBefore) / (performance.now() - startedAt),
  };
  process.stdout.write(`${JSON.stringify(paced)}\n`, () => process.exit(0));
}

/** On the run queue, by the kernel's second figure, in nanoseconds. */
function waitedMs(): number {
  return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;
}
