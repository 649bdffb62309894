import { setTimeout as pause } from 'node:timers/promises';
import type { FilteredTop, TailPage, TailQuery, TailRefusal } from '../observe/tail.ts';
import { type TopTable, topOf } from '../observe/top.ts';

/** The answers of all workers to one question, in any order. */
type AskAll = (query: TailQuery) => Promise<readonly unknown[]>;

/** Workers are asked so often by whom waits: none of them knows when another has something. */
const EVERY_MS = 250;
/** Whatever a worker remembers (`accessLog.recent`). */
const EVERYTHING = 100_000;

/** Of several workers as of one: their lines in the order in which exchanges ended, and where each of them is to go on. */
export async function tailOfAll(query: TailQuery, ask: AskAll): Promise<TailPage | TailRefusal> {
  const untilMs = performance.now() + query.waitMs;
  let { after } = query;
  let missed = 0;
  while (true) {
    const merged = mergedPages((await ask({ ...query, after, waitMs: 0 })) as readonly (TailPage | TailRefusal)[]);
    if (!merged.ok) return merged;
    const page = { ...merged, next: withSilent(merged.next, after) };
    missed += page.missed;
    const isFirst = after === null;
    if (page.lines.length > 0 || missed > 0 || performance.now() >= untilMs) {
      return { ...page, missed, lines: isFirst ? lastOf(page.lines, query.last) : page.lines };
    }
    after = page.next;
    await pause(EVERY_MS);
  }
}

export async function topOfAll(
  { filter, ...query }: FilteredTop,
  ask: AskAll,
): Promise<(TopTable & { readonly ok: true }) | TailRefusal> {
  const all = { filter, after: null, last: EVERYTHING, limit: EVERYTHING, waitMs: 0 };
  const page = mergedPages((await ask(all)) as readonly (TailPage | TailRefusal)[]);
  if (!page.ok) return page;
  return { ok: true, ...topOf(page.lines, query, { nowMs: Date.now(), sinceMs: page.sinceMs }) };
}

function mergedPages(answers: readonly (TailPage | TailRefusal)[]): TailPage | TailRefusal {
  const pages: TailPage[] = [];
  for (const answer of answers) {
    if (!answer.ok) return answer;
    pages.push(answer);
  }
  return {
    ok: true,
    lines: pages.flatMap(({ lines }) => lines).sort((a, b) => a.time + a.totalMs - b.time - b.totalMs),
    next: pages.map(({ next }) => next).join(','),
    missed: pages.reduce((sum, { missed }) => sum + missed, 0),
    sinceMs: Math.max(...pages.map(({ sinceMs }) => sinceMs)),
  };
}

/** Places of workers that did not answer this time, or have ended: those that were heard of last. */
const MOST_SILENT = 32;

/** `next`, and where those that are not in it are to go on: else they would tell everything again. */
function withSilent(next: string, after: string | null): string {
  const heard = new Set(next.split(',').map(lifeOf));
  const silent = (after ?? '').split(',').filter((place) => place !== '' && !heard.has(lifeOf(place)));
  return [...(next === '' ? [] : [next]), ...silent.slice(0, MOST_SILENT)].join(',');
}

function lifeOf(place: string): string {
  return place.split('.', 1)[0] ?? '';
}

function lastOf<T>(items: readonly T[], count: number): readonly T[] {
  return items.slice(Math.max(0, items.length - count));
}
