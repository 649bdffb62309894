import type { ExchangeObserver } from '../exchange/observer.ts';
import type { ExchangeRecord, RefreshRecord } from '../exchange/outcome.ts';
import type { StreamObserver, StreamRecord } from '../exchange/stream.ts';
import type { Matches } from '../filter/filter.ts';
import { lineOf } from './exchange-line.ts';

/** Which exchanges have a line in the access log. */
export interface LineChoice {
  /** `null` for all. */
  readonly only: Matches | null;
  /** Of those that ended well, and of streams: [0, 1]. */
  readonly sample: number;
  readonly random: () => number;
}

/** Passes on what is to have a line; of all others `bugs` hears, which reports nothing but bugs. */
export class ChosenLines implements ExchangeObserver, StreamObserver {
  readonly #choice: LineChoice;
  readonly #chosen: Required<ExchangeObserver> & StreamObserver;
  readonly #bugs: Required<ExchangeObserver> & StreamObserver;

  constructor(
    choice: LineChoice,
    chosen: Required<ExchangeObserver> & StreamObserver,
    bugs: Required<ExchangeObserver> & StreamObserver,
  ) {
    this.#choice = choice;
    this.#chosen = chosen;
    this.#bugs = bugs;
  }

  finished(record: ExchangeRecord): void {
    (this.#isChosen(record) ? this.#chosen : this.#bugs).finished(record);
  }

  refreshed(record: RefreshRecord): void {
    (this.#isChosen(record) ? this.#chosen : this.#bugs).refreshed(record);
  }

  /** It has none of the fields that a filter asks for. */
  streamFinished(record: StreamRecord): void {
    const isChosen = record.end.error !== null || this.#isDrawn();
    (isChosen ? this.#chosen : this.#bugs).streamFinished(record);
  }

  #isChosen(record: ExchangeRecord): boolean {
    const { only } = this.#choice;
    const { end, status } = record;
    const endedWell = end.error === null && end.bug === null && status < 400;
    if (endedWell && !this.#isDrawn()) return false;
    return only === null || only(lineOf(record));
  }

  #isDrawn(): boolean {
    const { sample, random } = this.#choice;
    return sample >= 1 || random() < sample;
  }
}
