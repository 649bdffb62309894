import { setTimeout as pause } from 'node:timers/promises';
import type { AdminPlace } from './admin-arguments.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, plain } from './admin-outcome.ts';
import type { Io } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { vetFilter } from './filter-argument.ts';

export interface TailOptions {
  /** `null` for everything. */
  readonly filter: string | null;
  /** Of those that ended before. */
  readonly lines: number;
  readonly follow: boolean;
  readonly place: AdminPlace;
  readonly json: boolean;
}

/** A page of `/tail`, as JSON has it. */
interface Page {
  readonly lines: readonly Line[];
  readonly next: string;
  readonly missed: number;
}

interface Line {
  readonly time: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly status: number;
  readonly totalMs: number;
  readonly route: string | null;
  readonly endpoint: string | null;
  readonly attempts: number;
  readonly cacheResult: string | null;
  readonly end: string;
}

/** The gateway answers sooner when there is something to tell. */
const WAIT_SECONDS = 5;
/** A busy gateway is not asked more often. */
const PAUSE_MS = 250;

/**
 * `headgate tail`: exchanges of a running gateway, for ever unless it is not to follow.
 * @throws UsageError
 */
export async function showTail(options: Omit<TailOptions, 'place'>, access: AdminAccess, io: Io): Promise<ExitCode> {
  const { filter, lines, follow, json } = options;
  vetFilter(filter);
  let after: string | null = null;
  while (true) {
    const query: URLSearchParams = new URLSearchParams(filter === null ? {} : { filter });
    if (after === null) query.set('last', String(lines));
    else for (const [name, value] of Object.entries({ after, wait: String(WAIT_SECONDS) })) query.set(name, value);
    const code: ExitCode = await answered(
      () => askAdmin(access, { method: 'GET', path: `/tail?${query}`, body: null }),
      {
        ...io,
        json: false,
        text: (body) => {
          const page = body as Page;
          after = page.next;
          if (page.missed > 0) io.stderr.write(`headgate: ${page.missed} more have ended than could be shown\n`);
          return page.lines.map((line) => (json ? `${JSON.stringify(line)}\n` : textOf(line))).join('');
        },
      },
    );
    if (code !== exitCodes.ok || !follow) return code;
    await pause(PAUSE_MS);
  }
}

function textOf(line: Line): string {
  const { time, status, method, host, path, totalMs, client, route, endpoint, attempts, cacheResult, end } = line;
  const tried = attempts > 1 ? ` (${attempts} attempts)` : '';
  const cells = [
    time.slice(11, 23),
    String(status),
    method,
    `${host}${path}`,
    `${totalMs < 10 ? totalMs.toFixed(1) : Math.round(totalMs)} ms`,
    client,
    route ?? 'no route',
    ...(endpoint === null ? [] : [`${endpoint}${tried}`]),
    ...(cacheResult === null ? [] : [`cache ${cacheResult}`]),
    ...(end === 'complete' ? [] : [end]),
  ];
  return `${cells.map(plain).join('  ')}\n`;
}
