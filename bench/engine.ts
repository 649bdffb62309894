import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { systemClock } from '../src/clock.ts';
import type { ExchangeObserver } from '../src/exchange/observer.ts';
import { inTurn } from '../src/gateway/gateway-logs.ts';
import { JsonAccessLog } from '../src/observe/access-log.ts';
import { createLog, openLogSink } from '../src/observe/log.ts';
import { Metrics } from '../src/observe/metrics.ts';
import { RecentExchanges } from '../src/observe/recent.ts';
import { TrafficMetrics } from '../src/observe/traffic-metrics.ts';
import { engineRig, exchangeFor, usualRequest } from './engine-rig.ts';

// CPU time of everything between downstream and transport for one proxied GET: routing, header fields both ways, the choice of an
// endpoint, delivery, and what is allocated for it. Endpoint and client are objects that answer at once. Run: node bench/engine.ts, or
// with --cached for a hit in the cache in place of the endpoint, with --traced for a part in traces, with --observed for what hears of
// every exchange in a gateway as it comes: metrics, the exchanges that are remembered, an access log in a file.

const ROUNDS = 12;
const EXCHANGES = 200_000;
/** Then the log is given time to write: 1 MiB is what it takes at once. */
const AT_ONCE = 1_000;

const rig = engineRig(
  {
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['127.0.0.1:3000'] } },
    ...(process.argv.includes('--traced') ? { tracing: {} } : {}),
    routes: [{ name: 'all', pool: 'shop', ...(process.argv.includes('--cached') ? { cache: true } : {}) }],
  },
  process.argv.includes('--observed') ? observers() : null,
);

/** As `gateway/composition.ts` puts them together. */
function observers(): ExchangeObserver {
  const traffic = new TrafficMetrics(new Metrics(), {
    clock: systemClock,
    latencySeconds: [0.005, 0.025, 0.1, 0.5, 2.5],
  });
  const recent = new RecentExchanges({ entries: 1_000, bytes: 4 * 1024 ** 2 }, systemClock);
  const sink = openLogSink(join(mkdtempSync(join(tmpdir(), 'headgate-bench-')), 'access.log'));
  return inTurn(traffic, inTurn(recent, new JsonAccessLog(sink, createLog(sink, 'info'))));
}

interface Round {
  /** Of an exchange. */
  readonly us: number;
  readonly bytes: number;
}

async function round(): Promise<Round> {
  let us = 0;
  const before = getHeapStatistics().total_allocated_bytes;
  for (let done = 0; done < EXCHANGES; done += AT_ONCE) {
    const start = process.cpuUsage();
    for (let i = 0; i < AT_ONCE; i += 1) rig.engine.handle(exchangeFor(usualRequest));
    const { user, system } = process.cpuUsage(start);
    us += user + system;
    await setImmediate();
  }
  return { us: us / EXCHANGES, bytes: (getHeapStatistics().total_allocated_bytes - before) / EXCHANGES };
}

await round();
const rounds: Round[] = [];
for (let i = 0; i < ROUNDS; i += 1) rounds.push(await round());
if (rig.finished !== (ROUNDS + 1) * EXCHANGES) throw new Error(`Only ${rig.finished} exchanges were finished`);
rounds.sort((a, b) => a.us - b.us);
const [least, median] = [rounds[0], rounds[ROUNDS / 2]] as [Round, Round];
console.log(
  `${least.us.toFixed(2)} µs an exchange at least, ${median.us.toFixed(2)} µs at the median, ${Math.round(least.bytes)} bytes`,
);
