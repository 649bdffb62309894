import { availableParallelism } from 'node:os';
import { load } from './load.ts';
import { headgateCommand } from './peers/headgate.ts';
import type { Place } from './peers/peer.ts';
import { cpuMicroseconds, OTHER_CORE, start } from './processes.ts';
import { markdownTable } from './report.ts';

/** Two workers beside one. */
export interface WorkersRow {
  readonly workers: number;
  readonly requestsPerSecond: number;
  readonly cpuPerRequestUs: number;
  readonly failures: number;
  /** Whether the workers had cores of their own: without, more workers can't answer more. */
  readonly coresAllow: boolean;
}

const WARM_UP_SECONDS = 5;
/** Two for workers, one for the origin, one and more for the load. */
const ENOUGH_CORES = 4;

/** One worker on one core, then two on two; the load comes from the others, or, where there are but two, from the second as well. */
export async function measureWorkers(
  place: Place,
  { seconds, connections }: { readonly seconds: number; readonly connections: number },
): Promise<WorkersRow[]> {
  const cores = availableParallelism();
  const coresAllow = cores >= ENOUGH_CORES;
  const from = coresAllow ? { cores: `2-${cores - 1}`, threads: cores - 2 } : { cores: OTHER_CORE, threads: 1 };
  const parameters = { url: 'http://127.0.0.1:7101/1k', connections, http2: false, from };
  const rows: WorkersRow[] = [];
  for (const workers of [1, 2]) {
    process.stderr.write(`headgate: ${workers} of its workers\n`);
    const running = await start({ ...headgateCommand(place, workers), cores: workers === 1 ? '0' : '0-1' });
    try {
      await load({ ...parameters, seconds: WARM_UP_SECONDS });
      const before = cpuMicroseconds(running.pid);
      const { requests, requestsPerSecond, failures } = await load({ ...parameters, seconds });
      const cpuPerRequestUs = (cpuMicroseconds(running.pid) - before) / requests;
      rows.push({ workers, requestsPerSecond, cpuPerRequestUs, failures, coresAllow });
    } finally {
      await running.stop();
    }
  }
  return rows;
}

export function printWorkers(rows: readonly WorkersRow[]): void {
  const [one] = rows;
  if (one === undefined) return;
  const header = ['workers', 'requests/s', '÷ one', 'CPU µs/request', '÷ one', 'failures'];
  const lines = rows.map((row) => [
    ...[row.workers.toString(), row.requestsPerSecond.toFixed(0)],
    (row.requestsPerSecond / one.requestsPerSecond).toFixed(2),
    ...[row.cpuPerRequestUs.toFixed(1), (row.cpuPerRequestUs / one.cpuPerRequestUs).toFixed(2), `${row.failures}`],
  ]);
  const note = one.coresAllow
    ? 'The workers had two cores to themselves; origin and load had the others.'
    : 'This machine has too few cores: the second worker shared its own with origin and load. Only CPU time per request says something.';
  process.stdout.write(`\n### Workers\n\n${markdownTable(header, lines)}\n\n${note}\n`);
}
