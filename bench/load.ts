import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Anything but a 2xx answer. */
  readonly failures: number;
}

export interface Load {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  readonly http2: boolean;
  /** Header fields of each request, `Name: value`; HTTP/1.1 only. Default none. */
  readonly fields?: readonly string[];
}

/** Loads `url` over keep-alive connections from the other core: wrk for HTTP/1.1, h2load for HTTP/2. */
export function load(options: Load): Promise<LoadResult> {
  return options.http2 ? h2load(options) : wrk(options);
}

async function wrk({ url, seconds, connections, fields = [] }: Load): Promise<LoadResult> {
  const { stdout } = await run('taskset', [
    '-c',
    '1',
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    ...fields.flatMap((field) => ['-H', field]),
    url,
  ]);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  const socketErrors = errors === null ? 0 : errors.slice(1).reduce((sum, count) => sum + Number(count), 0);
  return {
    requests,
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? 0),
    p50Ms: milliseconds(/50%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    failures: failed + socketErrors,
  };
}

function milliseconds(text: string | undefined): number {
  const parts = /^([\d.]+)(us|ms|s)$/.exec(text ?? '');
  if (parts === null) return Number.NaN;
  const scale = parts[2] === 'us' ? 0.001 : parts[2] === 'ms' ? 1 : 1000;
  return Number(parts[1]) * scale;
}

async function h2load({ url, seconds, connections }: Load): Promise<LoadResult> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  const log = join(directory, 'requests.tsv');
  try {
    const { stdout } = await run(
      'taskset',
      ['-c', '1', 'h2load', '-t1', `-c${connections}`, '-m16', `-D${seconds}`, `--log-file=${log}`, url],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    const durations = readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => Number(line.split('\t')[2]) / 1000);
    durations.sort((a, b) => a - b);
    const succeeded = Number(/(\d+) succeeded/.exec(stdout)?.[1] ?? 0);
    const refused = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(stdout)?.slice(1) ?? [];
    const broken = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(stdout)?.slice(1) ?? [];
    return {
      requests: succeeded,
      requestsPerSecond: succeeded / seconds,
      p50Ms: durations[Math.floor(durations.length * 0.5)] ?? Number.NaN,
      p99Ms: durations[Math.floor(durations.length * 0.99)] ?? Number.NaN,
      failures: [...refused, ...broken].reduce((sum, count) => sum + Number(count), 0),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
