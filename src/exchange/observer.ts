import type { ExchangeRecord } from './outcome.ts';

/** Hears of every exchange exactly once, when it is over. Must not throw and must not block. */
export interface ExchangeObserver {
  finished(record: ExchangeRecord): void;
}
