import { setTimeout as pause } from 'node:timers/promises';
import type { TopFigures, TopKey, TopTable } from '../observe/top.ts';
import type { AdminPlace } from './admin-arguments.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered } from './admin-outcome.ts';
import type { Io } from './command.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { vetFilter } from './filter-argument.ts';
import { table } from './table.ts';

export interface TopOptions {
  /** `null` for everything. */
  readonly filter: string | null;
  readonly by: TopKey;
  readonly windowSeconds: number;
  readonly rows: number;
  readonly once: boolean;
  readonly place: AdminPlace;
  readonly json: boolean;
}

const EVERY_MS = 2_000;
/** ECMA-48: the cursor to the first place, and everything behind it away. */
const ANEW = '\x1b[H\x1b[J';

/** `headgate top`: a table that is shown anew every two seconds on a terminal, and once elsewhere. */
export async function showTop(options: Omit<TopOptions, 'place'>, access: AdminAccess, io: Io): Promise<ExitCode> {
  const { filter, by, windowSeconds, rows, json } = options;
  vetFilter(filter);
  const query = new URLSearchParams({ by, window: String(windowSeconds), limit: String(rows) });
  if (filter !== null) query.set('filter', filter);
  const once = options.once || io.stdout.isTTY !== true;
  while (true) {
    const code = await answered(() => askAdmin(access, { method: 'GET', path: `/top?${query}`, body: null }), {
      ...io,
      json,
      text: (body) => `${once ? '' : ANEW}${textOf(body as TopTable)}`,
    });
    if (code !== exitCodes.ok || once) return code;
    await pause(EVERY_MS);
  }
}

function textOf({ by, spanMs, total, rows, more }: TopTable): string {
  const seconds = spanMs < 9_950 ? (spanMs / 1000).toFixed(1) : String(Math.round(spanMs / 1000));
  const head = [by.toUpperCase(), 'PER SECOND', 'EXCHANGES', 'FAILED', 'P50', 'P99', 'BYTES OUT'];
  const cells = rows.map((row) => [row.name ?? '–', ...figures(row)]);
  const rest = more === 0 ? '' : `and ${more} more\n`;
  return `the last ${seconds} s\n\n${table(head, [...cells, ['all', ...figures(total)]])}${rest}`;
}

function figures({ perSecond, exchanges, failed, p50Ms, p99Ms, bytesOut }: TopFigures): readonly string[] {
  return [
    perSecond.toFixed(perSecond < 10 ? 2 : 0),
    String(exchanges),
    `${(100 * failed).toFixed(failed === 0 || failed >= 0.1 ? 0 : 1)} %`,
    milliseconds(p50Ms),
    milliseconds(p99Ms),
    bytes(bytesOut),
  ];
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function bytes(count: number): string {
  if (count < 10_240) return `${count} B`;
  return count < 10 * 1024 ** 2 ? `${Math.round(count / 1024)} KiB` : `${Math.round(count / 1024 ** 2)} MiB`;
}
