import { pino } from 'pino';
import { systemClock } from '../../src/clock.ts';
import type { ExchangeRecord } from '../../src/exchange/outcome.ts';
import { JsonAccessLog } from '../../src/observe/access-log.ts';
import type { LogSink } from '../../src/observe/log.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { RecentExchanges } from '../../src/observe/recent.ts';
import { newRequestId } from '../../src/observe/request-id.ts';
import { TrafficMetrics } from '../../src/observe/traffic-metrics.ts';
import { engineRig, exchangeFor } from '../engine-rig.ts';
import { freshRequest } from './requests.ts';
import { CALLS, type Stage } from './stage.ts';

const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is told of an exchange when it is over, and the id that it is told by. */
export function observeStages(): Stage[] {
  const sink = countingSink();
  const log = new JsonAccessLog(sink, pino({ enabled: false }));
  const traffic = new TrafficMetrics(new Metrics(10_000, async () => {}), {
    clock: systemClock,
    latencySeconds: LATENCY,
  });
  const recent = new RecentExchanges({ entries: 1_000, bytes: 4 * 1024 ** 2 }, systemClock);
  return [
    { name: 'request id', run: drawIds },
    telling('log line', (record) => log.finished(record)),
    telling('metrics', (record) => traffic.finished(record)),
    telling('recent exchanges', (record) => recent.finished(record)),
  ];
}

function drawIds(): void {
  const now = Date.now();
  for (let i = 0; i < CALLS; i += 1) if (newRequestId(now).length !== 36) throw new Error('No id');
}

/** Records that an engine has made. */
function telling(name: string, tell: (record: ExchangeRecord) => void): Stage {
  const rig = engineRig({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['10.0.0.1:3000'] } },
    routes: [{ name: 'items', pool: 'shop' }],
  });
  let records: ExchangeRecord[] = [];
  const prepare = (): void => {
    records = Array.from({ length: CALLS }, (_, index) => {
      rig.engine.handle(exchangeFor(freshRequest(index)));
      return { ...(rig.record as ExchangeRecord), totalMs: 1.234_567, overheadMs: 0.087_654, upstreamMs: 1.146_913 };
    });
  };
  return {
    name,
    prepare,
    run: () => {
      for (const record of records) tell(record);
    },
  };
}

/** As pino's, without the file: lines wait as parts of one string until there are 32 KiB of them. */
function countingSink(): LogSink {
  let waiting = '';
  return {
    write: (line) => {
      waiting += line;
      if (waiting.length > 32 * 1024) waiting = Buffer.from(waiting).length === 0 ? line : '';
    },
    flushSync: () => {},
    flushed: async () => {},
    reopen: () => {},
  };
}
