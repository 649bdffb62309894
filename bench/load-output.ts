export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Anything but a 2xx answer. */
  readonly failures: number;
}

/** What `wrk --latency` has printed. What is not there is 0, a latency `NaN`. */
export function readWrk(stdout: string): LoadResult {
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout);
  return {
    requests: numberIn(stdout, /(\d+) requests in/),
    requestsPerSecond: numberIn(stdout, /Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds(/50%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    p99Ms: milliseconds(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    failures: numberIn(stdout, /Non-2xx or 3xx responses: (\d+)/) + sum(errors?.slice(1) ?? []),
  };
}

/** What h2load has printed after `seconds`, and its log: a line for each request, with when it began, status, and microseconds. */
export function readH2load(stdout: string, log: string, seconds: number): LoadResult {
  const durations = log
    .trimEnd()
    .split('\n')
    .map((line) => Number(line.split('\t')[2]) / 1_000)
    .sort((a, b) => a - b);
  const succeeded = numberIn(stdout, /(\d+) succeeded/);
  const refused = /status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/.exec(stdout)?.slice(1) ?? [];
  const broken = /(\d+) failed, (\d+) errored, (\d+) timeout/.exec(stdout)?.slice(1) ?? [];
  return {
    requests: succeeded,
    requestsPerSecond: succeeded / seconds,
    p50Ms: durations[Math.floor(durations.length * 0.5)] ?? Number.NaN,
    p99Ms: durations[Math.floor(durations.length * 0.99)] ?? Number.NaN,
    failures: sum([...refused, ...broken]),
  };
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

function sum(counts: readonly string[]): number {
  return counts.reduce((total, count) => total + Number(count), 0);
}

function milliseconds(text: string | undefined): number {
  const parts = /^([\d.]+)(us|ms|s|m)$/.exec(text ?? '');
  if (parts === null) return Number.NaN;
  const scale = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[parts[2] as 'us' | 'ms' | 's' | 'm'];
  return Number(parts[1]) * scale;
}
