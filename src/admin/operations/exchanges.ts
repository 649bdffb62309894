import { writtenLine } from '../../observe/exchange-line.ts';
import type { TailRefusal } from '../../observe/tail.ts';
import { TOP_KEYS, type TopKey } from '../../observe/top.ts';
import { type Call, type Operation, ok } from '../operation.ts';
import type { Refusal } from '../refusal.ts';
import { component, count, described, listOf, quantity, record, text, words } from '../schema.ts';

/** Most lines of one answer. */
const MOST_LINES = 1_000;
/** Nobody is kept waiting for longer. */
const MOST_SECONDS = 30;
const MOST_WINDOW_SECONDS = 3_600;

const filter = described(text, 'status>=500 and path~^/api (docs/logs.md); all unless given');

/** Exchanges that ended lately: addresses and paths of clients are nobody's business who may not know secrets. */
export const exchangeOperations: readonly Operation[] = [
  {
    id: 'tail',
    method: 'GET',
    path: '/tail',
    access: 'secret',
    summary: 'Exchanges that ended lately, and those that end next: ask again with `after` as long as you like',
    tag: 'exchanges',
    query: {
      filter,
      after: described(text, '`next` of the answer before'),
      last: {
        type: 'integer',
        minimum: 0,
        maximum: MOST_LINES,
        description: 'Without `after`: how many; 10 unless given',
      },
      limit: { type: 'integer', minimum: 1, maximum: MOST_LINES, description: '1000 unless given' },
      wait: {
        ...{ type: 'integer', minimum: 0, maximum: MOST_SECONDS },
        description: 'Seconds to wait for a line where there is none; 0 unless given',
      },
    },
    answers: {
      200: {
        description: 'Oldest first; `missed`: how many were forgotten since `after` before they were read',
        schema: record({ lines: listOf(component('ExchangeLine')), next: text, missed: count }),
      },
    },
    refusals: { 409: '`not-remembered`: the configuration says that exchanges are not' },
    run: async ({ desk, query }) => {
      const { filter: wanted = null, after = null } = query;
      const page = await desk.tail({
        ...{ filter: wanted, after, last: Number(query['last'] ?? 10), limit: Number(query['limit'] ?? MOST_LINES) },
        waitMs: 1000 * Number(query['wait'] ?? 0),
      });
      if (!page.ok) return refusalOf(page);
      return ok({ lines: page.lines.map(writtenLine), next: page.next, missed: page.missed });
    },
  },
  {
    id: 'top',
    method: 'GET',
    path: '/top',
    access: 'secret',
    summary: 'What the exchanges of the last seconds come to, by route, pool, endpoint or client',
    tag: 'exchanges',
    query: {
      by: described(words(...TOP_KEYS), 'route unless given'),
      filter,
      window: { type: 'integer', minimum: 1, maximum: MOST_WINDOW_SECONDS, description: 'Seconds; 10 unless given' },
      limit: { type: 'integer', minimum: 1, maximum: MOST_LINES, description: 'Rows; 20 unless given' },
    },
    answers: {
      200: {
        description: 'Most exchanges first. `spanMs`: what it is about, less than the window where less is remembered',
        schema: record({
          ...{ by: words(...TOP_KEYS), spanMs: quantity, total: component('TopFigures') },
          ...{ rows: listOf(component('TopRow')), more: count },
        }),
      },
    },
    refusals: { 409: '`not-remembered`: the configuration says that exchanges are not' },
    run: top,
  },
];

async function top({ desk, query }: Call) {
  const table = await desk.top({
    by: (query['by'] ?? 'route') as TopKey,
    filter: query['filter'] ?? null,
    windowMs: 1000 * Number(query['window'] ?? 10),
    limit: Number(query['limit'] ?? 20),
  });
  if (!table.ok) return refusalOf(table);
  const { by, spanMs, total, rows, more } = table;
  return ok({ by, spanMs, total, rows, more });
}

function refusalOf(refused: TailRefusal): Refusal {
  const { reason, message } = refused;
  if (reason === 'not-remembered') return { status: 409, error: reason, message };
  return { status: 400, error: reason, message: `${message} (column ${refused.column})`, parameter: 'filter' };
}
