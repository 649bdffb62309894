import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Histogram } from '../histogram.ts';
import { writeText } from './exposition.ts';
import { CONTENT_TYPES, type ExpositionFormat, formatFor } from './exposition-format.ts';
import type { Buckets, Family, FamilyReading, Series } from './family.ts';
import { limited } from './series-limit.ts';
import type { Tally } from './tally.ts';

/** Metrics as somebody asked for them. */
export interface Exposition {
  readonly contentType: string;
  /** The text, in pieces of some 100 KB. */
  readonly pieces: readonly string[];
}

/** Name, text and labels of a family whose values come from a callback. */
interface Described {
  readonly help: string;
  readonly labels: readonly string[];
}

/** Series of one family, each with its names; more of them become one. */
export const MOST_SERIES = 10_000;

/**
 * The families of metrics there are. Labels come from the configuration and from enumerations, never from a request, and of each
 * family at most `seriesPerFamily` series are shown (`limited`). Counting costs nothing here: whoever counts does it in plain numbers,
 * which are asked for when somebody reads the metrics.
 */
export class Metrics {
  readonly #families: Family[] = [];
  readonly #preparations: (() => void | Promise<void>)[] = [];
  readonly #folded = new Map<string, number>();
  readonly #underWay = new Map<ExpositionFormat, Promise<Exposition>>();
  readonly #seriesPerFamily: number;
  readonly #pause: () => Promise<unknown>;

  /** `pause`: in place of waiting for the event loop's next turn. For tests. */
  constructor(seriesPerFamily = MOST_SERIES, pause: () => Promise<unknown> = () => nextTurn()) {
    this.#seriesPerFamily = seriesPerFamily;
    this.#pause = pause;
  }

  /**
   * All families, in the format that `accept` prefers (`formatFor`). Never holds up the event loop for long: see `writeText`. Who asks
   * while the same is being written gets that: however many ask at once, it is written once.
   */
  expose(accept: string): Promise<Exposition> {
    const format = formatFor(accept);
    let exposition = this.#underWay.get(format);
    if (exposition === undefined) {
      exposition = this.#write(format).finally(() => this.#underWay.delete(format));
      this.#underWay.set(format, exposition);
    }
    return exposition;
  }

  async #write(format: ExpositionFormat): Promise<Exposition> {
    const pieces = await writeText(await this.families(), format, async () => {
      await this.#pause();
    });
    return { contentType: CONTENT_TYPES[format], pieces };
  }

  /** All families as plain data. Yields to the event loop between them. */
  async reading(): Promise<readonly FamilyReading[]> {
    const readings: FamilyReading[] = [];
    for (const { read, ...family } of await this.families()) {
      readings.push({ ...family, series: [...read()] });
      await this.#pause();
    }
    return readings;
  }

  /** Ready to be read. What is over the limit is folded when they are. */
  async families(): Promise<readonly Family[]> {
    for (const prepare of this.#preparations) await prepare();
    const shown = this.#families.map((family) => ({
      ...family,
      read: () => limited(family, this.#seriesPerFamily, (count) => this.#folded.set(family.name, count)),
    }));
    return [...shown, this.#foldedFamily];
  }

  /** `prepare` is called, and waited for, before families are read. Must not throw or reject. */
  before(prepare: () => void | Promise<void>): void {
    this.#preparations.push(prepare);
  }

  add(family: Family): void {
    this.#families.push(family);
  }

  /** For a gauge with few series: `read` sets all of them at once. */
  gauge(
    name: string,
    parts: Described & { read: (set: (labels: Record<string, string>, value: number) => void) => void },
  ): void {
    const { help, labels } = parts;
    this.gauges(name, {
      help,
      labels,
      entries: () => {
        const all: Series[] = [];
        parts.read((values, value) => all.push([labels.map((label) => values[label] ?? ''), value]));
        return all;
      },
    });
  }

  /** For one with as many as there are routes, pools or endpoints: what is iterated lazily is read in slices. */
  gauges(name: string, { help, labels, entries }: Described & { entries: () => Iterable<Series> }): void {
    this.add({ name, kind: 'gauge', help, labels, read: entries });
  }

  /** Adds a family that shows what `tally` has counted. */
  counter(
    name: string,
    { help, labels, tally }: Described & { tally: Pick<Tally, 'entries'> | { entries: () => Iterable<Series> } },
  ): void {
    this.add({ name, kind: 'counter', help, labels, read: () => tally.entries() });
  }

  histogram(
    name: string,
    parts: Described & { entries: () => Iterable<readonly [names: readonly string[], buckets: Histogram | Buckets]> },
  ): void {
    const { help, labels, entries } = parts;
    this.add({ name, kind: 'histogram', help, labels, read: entries });
  }

  /** Comes last: by then the others have been read. */
  get #foldedFamily(): Family {
    return {
      name: 'headgate_metrics_folded_series',
      kind: 'gauge',
      help: 'Series of a family that are not shown with their own names because it has too many',
      labels: ['family'],
      read: () => [...this.#folded].filter(([, count]) => count > 0).map(([family, count]) => [[family], count]),
    };
  }
}
