import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type LoadResult, readH2load, readWrk } from './load-output.ts';
import { OTHER_CORE } from './processes.ts';

const run = promisify(execFile);

export interface Load {
  readonly url: string;
  readonly seconds: number;
  readonly connections: number;
  readonly http2: boolean;
  /** Header fields of each request, `Name: value`; HTTP/1.1 only. Default none. */
  readonly fields?: readonly string[];
  /** Cores to load from, as `taskset` takes them, and a thread for each; HTTP/1.1 only. Default the other core. */
  readonly from?: { readonly cores: string; readonly threads: number };
}

/** Loads `url` over keep-alive connections from the other core: wrk for HTTP/1.1, h2load for HTTP/2. */
export function load(options: Load): Promise<LoadResult> {
  return options.http2 ? h2load(options) : wrk(options);
}

async function wrk({ url, seconds, connections, fields = [], from }: Load): Promise<LoadResult> {
  const { cores, threads } = from ?? { cores: OTHER_CORE, threads: 1 };
  const flags = [`-t${threads}`, `-c${connections}`, `-d${seconds}s`, '--latency'];
  const { stdout } = await run('taskset', [
    ...['-c', cores, 'wrk', ...flags],
    ...fields.flatMap((field) => ['-H', field]),
    url,
  ]);
  return readWrk(stdout);
}

async function h2load({ url, seconds, connections }: Load): Promise<LoadResult> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
  const log = join(directory, 'requests.tsv');
  try {
    const { stdout } = await run(
      'taskset',
      ['-c', OTHER_CORE, 'h2load', '-t1', `-c${connections}`, '-m16', `-D${seconds}`, `--log-file=${log}`, url],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    return readH2load(stdout, readFileSync(log, 'utf8'), seconds);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
