import type { ExchangeRecord, RefreshRecord } from './outcome.ts';

/** Hears of every exchange exactly once, when it is over. Must not throw and must not block. */
export interface ExchangeObserver {
  finished(record: ExchangeRecord): void;
  /** The same for each refresh of a stored response, which is no client's exchange. */
  refreshed?(record: RefreshRecord): void;
}
