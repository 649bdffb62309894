import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { arrive, type Outcome } from './arrivals.ts';
import { type Running, start } from './processes.ts';
import { markdownTable } from './report.ts';

const here = import.meta.dirname;

/** 100 requests a second, and they cost nearly no CPU time: what is measured is who waits where, not how fast the machine is. */
const WORKERS = 10;
const SERVICE_MS = 100;
const CAPACITY = WORKERS / (SERVICE_MS / 1_000);
const ORIGIN_PORT = 7180;
const GATEWAY_PORT = 7181;
/** A person in front of a page, or the timeout of a service that calls another one. */
const PATIENCE_MS = 1_000;

const LOADS = [1, 5];

/** What the pool is told of all this. */
const POOLS: Readonly<Record<string, string>> = {
  'no limits': '',
  'perEndpoint: 15': ', limits: { perEndpoint: 15 }',
  'adaptive: {}': ', limits: { adaptive: {} }',
};

export interface OverloadRow extends Outcome {
  readonly limits: string;
  /** Offered load as a multiple of the capacity. */
  readonly load: number;
  /** Answered in time, a second. */
  readonly goodput: number;
}

/** Goodput and latency at the capacity of an origin and at five times of it, with limits and without. */
export async function measureOverload(directory: string, seconds: number): Promise<OverloadRow[]> {
  const rows: OverloadRow[] = [];
  for (const [limits, pool] of Object.entries(POOLS)) {
    for (const load of LOADS) {
      process.stderr.write(`headgate: ${limits}, ${load} × capacity\n`);
      // New ones each time: a queue that is left over would be measured again.
      const origin = await startOrigin();
      const gateway = await startGateway(directory, pool);
      try {
        const url = `http://127.0.0.1:${GATEWAY_PORT}/`;
        const outcome = await arrive({ url, perSecond: load * CAPACITY, seconds, patienceMs: PATIENCE_MS });
        rows.push({ limits, load, goodput: outcome.served / (0.8 * seconds), ...outcome });
      } finally {
        await gateway.stop();
        await origin.stop();
      }
    }
  }
  return rows;
}

function startOrigin(): Promise<Running> {
  const script = join(here, 'overload-origin.ts');
  const argv = [process.execPath, script, String(ORIGIN_PORT), String(WORKERS), String(SERVICE_MS)] as const;
  return start({ name: 'origin', argv: [...argv], port: ORIGIN_PORT, core: 'other' });
}

function startGateway(directory: string, pool: string): Promise<Running> {
  const file = join(directory, 'overload.yaml');
  writeFileSync(
    file,
    `listeners:
  plain: { address: 127.0.0.1, port: ${GATEWAY_PORT}, limits: { connectionsPerAddress: 10000 } }
pools:
  origin: { endpoints: ['127.0.0.1:${ORIGIN_PORT}'], connections: { max: 10000, keepAlive: 50s }${pool} }
routes:
  - { match: { path: /** }, pool: origin }
admin: { port: 7189 }
accessLog: { enabled: false }
`,
  );
  const main = join(here, '../src/main.ts');
  const argv = [process.execPath, main, 'start', '-c', file] as const;
  return start({ name: 'headgate', argv: [...argv], port: GATEWAY_PORT, core: 'proxy' });
}

/** `goodput ÷ peak`: of the best goodput that was measured at all. */
export function printOverload(rows: readonly OverloadRow[]): void {
  const peak = Math.max(...rows.map(({ goodput }) => goodput));
  const header = [
    'limits',
    'load',
    'served/s',
    'goodput ÷ peak',
    'p50 ms',
    'p99 ms',
    'refused',
    'client left',
    'failed',
  ];
  const lines = rows.map((row) => [
    row.limits,
    `${row.load} ×`,
    row.goodput.toFixed(0),
    `${((100 * row.goodput) / peak).toFixed(0)} %`,
    row.p50Ms.toFixed(0),
    row.p99Ms.toFixed(0),
    `${((100 * row.refused) / row.offered).toFixed(1)} %`,
    `${((100 * row.late) / row.offered).toFixed(1)} %`,
    row.failed.toString(),
  ]);
  process.stdout.write(
    `\n### Overload (an origin that can do ${CAPACITY} a second)\n\n${markdownTable(header, lines)}\n`,
  );
}
