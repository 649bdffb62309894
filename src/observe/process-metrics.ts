import { readdir, readFile } from 'node:fs/promises';
import type { Metrics } from './metrics.ts';

/**
 * Adds what every Prometheus client says of its process, under the names that dashboards know (`process_…`, and `nodejs_…` for the heap),
 * and `headgate_build_info`. Where the system has no `/proc`, the files that it has open are left out.
 */
export function addProcessMetrics(metrics: Metrics, version: string): void {
  const startedAt = (Date.now() - process.uptime() * 1_000) / 1_000;
  let files: { readonly open: number; readonly most: number } | null = null;
  metrics.before(async () => {
    files = await openFiles();
  });
  metrics.gauge('headgate_build_info', {
    help: '1, with the version of Headgate and of the Node that it runs on',
    labels: ['version', 'node'],
    read: (set) => set({ version, node: process.versions.node }, 1),
  });
  addCpu(metrics);
  const gauge = (name: string, help: string, read: () => number | undefined): void =>
    metrics.gauge(name, {
      help,
      labels: [],
      read: (set) => {
        const value = read();
        if (value !== undefined) set({}, value);
      },
    });
  gauge('process_start_time_seconds', 'When the process was started, in seconds since 1970', () => startedAt);
  gauge('process_resident_memory_bytes', 'Memory that the process has in RAM', () => process.memoryUsage.rss());
  gauge('process_open_fds', 'Files and sockets that are open', () => files?.open);
  gauge('process_max_fds', 'Files and sockets that may be open', () => files?.most);
  gauge('nodejs_heap_size_used_bytes', 'Heap of V8 that is in use', () => process.memoryUsage().heapUsed);
  gauge('nodejs_heap_size_total_bytes', 'Heap of V8', () => process.memoryUsage().heapTotal);
  gauge('nodejs_external_memory_bytes', 'Memory outside of the heap, buffers above all', () => {
    return process.memoryUsage().external;
  });
}

function addCpu(metrics: Metrics): void {
  const counter = (name: string, help: string, read: (usage: NodeJS.CpuUsage) => number): void =>
    metrics.counter(name, {
      help,
      labels: [],
      tally: { entries: () => [[[], read(process.cpuUsage()) / 1e6]] },
    });
  counter('process_cpu_user_seconds_total', 'CPU time in the process itself', ({ user }) => user);
  counter('process_cpu_system_seconds_total', 'CPU time in the system on its behalf', ({ system }) => system);
  counter('process_cpu_seconds_total', 'CPU time of the process', ({ user, system }) => user + system);
}

/** Not the one that is open to find it out. `null` where there is no `/proc`. */
async function openFiles(): Promise<{ readonly open: number; readonly most: number } | null> {
  try {
    const [open, limits] = await Promise.all([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')]);
    const most = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1] ?? 'unlimited';
    return { open: open.length - 1, most: most === 'unlimited' ? Number.POSITIVE_INFINITY : Number(most) };
  } catch {
    // ENOENT: another system than Linux. EACCES: a hardened one.
    return null;
  }
}
