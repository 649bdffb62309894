import type { Metrics } from './metrics.ts';

export interface LearnedPages {
  readonly pages: number;
  /** By route. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Adds the metrics of early hints that were learned from stored pages. */
export function addEarlyHintMetrics(metrics: Metrics, learned: LearnedPages): void {
  metrics.counter('headgate_cache_early_hints_total', {
    help: 'Responses that were announced by links learned from a stored page (103)',
    labels: ['route'],
    tally: { entries: () => Array.from(learned.counts, ([route, count]) => [[route], count] as const) },
  });
  metrics.gauge('headgate_cache_learned_pages', {
    help: 'Pages whose links are remembered for early hints',
    labels: [],
    read: (set) => set({}, learned.pages),
  });
}
