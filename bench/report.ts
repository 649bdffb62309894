import type { LoadResult } from './load-output.ts';

export interface Row extends LoadResult {
  readonly peer: string;
  readonly cpuPerRequestUs: number;
  readonly residentMiB: number;
}

/** Prints a Markdown table; the last column is Headgate's CPU time per request divided by the peer's: below 1 is cheaper. */
export function printTable(title: string, rows: readonly Row[]): void {
  if (rows.length === 0) return;
  const ours = rows.find((row) => row.peer === 'headgate')?.cpuPerRequestUs;
  const lines = rows.map((row) => [
    row.peer,
    Math.round(row.requestsPerSecond).toString(),
    row.p50Ms.toFixed(2),
    row.p99Ms.toFixed(2),
    row.cpuPerRequestUs.toFixed(1),
    row.residentMiB.toFixed(0),
    row.failures.toString(),
    ours === undefined ? '' : (ours / row.cpuPerRequestUs).toFixed(2),
  ]);
  const header = [
    'proxy',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU µs/request',
    'RSS MiB',
    'failures',
    'headgate ÷ it (CPU)',
  ];
  process.stdout.write(`\n### ${title}\n\n${markdownTable(header, lines)}\n`);
}

/** The first column is text, the others are numbers. */
export function markdownTable(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const separator = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [header, separator, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
