import type { ExchangeLine } from '../exchange/line.ts';

/** What exchanges can be put together by. */
export const TOP_KEYS = ['route', 'pool', 'endpoint', 'client', 'listener', 'host', 'status'] as const;
export type TopKey = (typeof TOP_KEYS)[number];

/** Of some exchanges. Times are milliseconds from the first byte of a request to the end of its response. */
export interface TopFigures {
  readonly exchanges: number;
  readonly perSecond: number;
  /** Share of those that failed: 5xx, or cut off by whomever. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly bytesOut: number;
}

export interface TopRow extends TopFigures {
  /** `null` for those that have none: no route matched, say. */
  readonly name: string | null;
}

export interface TopTable {
  readonly by: TopKey;
  /** Milliseconds that all this is about: less than was asked for where not so much is remembered. */
  readonly spanMs: number;
  readonly total: TopFigures;
  /** Most exchanges first. */
  readonly rows: readonly TopRow[];
  /** Rows that are left out. */
  readonly more: number;
}

export interface TopQuery {
  readonly by: TopKey;
  /** How far back. */
  readonly windowMs: number;
  /** Most rows. */
  readonly limit: number;
}

/**
 * What `lines` come to, put together by one of their fields: those that ended in the window before `nowMs`. Rates are those of the
 * window, or of the time since `sinceMs` if that is shorter: from then on all exchanges are among `lines`.
 */
export function topOf(lines: Iterable<ExchangeLine>, { by, windowMs, limit }: TopQuery, around: Around): TopTable {
  const { nowMs, sinceMs } = around;
  const groups = new Map<string | null, ExchangeLine[]>();
  const all: ExchangeLine[] = [];
  for (const line of lines) {
    if (line.time + line.totalMs < nowMs - windowMs) continue;
    all.push(line);
    const name = line[by] === null ? null : String(line[by]);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [line]);
    else group.push(line);
  }
  const spanMs = Math.max(1, Math.min(windowMs, nowMs - sinceMs));
  const rows = [...groups]
    .map(([name, group]) => ({ name, ...figuresOf(group, spanMs) }))
    .sort((a, b) => b.exchanges - a.exchanges || String(a.name).localeCompare(String(b.name)));
  return {
    by,
    spanMs,
    total: figuresOf(all, spanMs),
    rows: rows.slice(0, limit),
    more: Math.max(0, rows.length - limit),
  };
}

/** Milliseconds since the epoch. */
interface Around {
  readonly nowMs: number;
  readonly sinceMs: number;
}

function figuresOf(lines: readonly ExchangeLine[], spanMs: number): TopFigures {
  const times = lines.map(({ totalMs }) => totalMs).sort((a, b) => a - b);
  const failed = lines.filter(
    ({ status, error }) => status >= 500 || (error !== null && (status < 400 || status === 499)),
  );
  return {
    exchanges: lines.length,
    perSecond: (1000 * lines.length) / spanMs,
    failed: lines.length === 0 ? 0 : failed.length / lines.length,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    bytesOut: lines.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
  };
}

/** Of sorted numbers, nearest rank; 0 for none. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
