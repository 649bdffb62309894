import type { ExchangeRecord } from '../../src/exchange/outcome.ts';

/** What one side of a connection saw, in order. `round` counts the deeds of the case: when it was seen. */
export interface Sight {
  readonly round: number;
  readonly kind: 'data' | 'fin' | 'reset' | 'closed' | 'open';
  readonly text: string;
}

/** Bytes of one round are one sight, however many packets they came in. */
export class Sights {
  #seen: { round: number; kind: Sight['kind']; text: string }[] = [];

  note(round: number, kind: Sight['kind'], text = ''): void {
    const last = this.#seen.at(-1);
    if (kind === 'data' && last !== undefined && last.kind === 'data' && last.round === round) last.text += text;
    else this.#seen.push({ round, kind, text });
  }

  /** All of it so far. */
  get all(): readonly Sight[] {
    return this.#seen;
  }
}

/** Everything that is compared of one run of one case. */
export interface Observation {
  readonly client: readonly Sight[];
  /** Per connection to the endpoint, in order of arrival. */
  readonly origin: readonly (readonly Sight[])[];
  /** What the access log is made of. */
  readonly records: readonly unknown[];
  /** Counts of requests that never were exchanges, by reason. */
  readonly refusals: Readonly<Record<string, number>>;
}

const IDS = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
/** Those that a gateway makes; scripts use other years. */
const DATES = /\r\nDate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20\d\d \d\d:\d\d:\d\d GMT\r\n/g;
const TRACES = /00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]/g;

/** Of `BULK`: somebody reads it when it differs. */
const MUCH = 'x'.repeat(64 * 1024);

/** `text` without what differs from run to run: dates, ids, ports. */
export function neutral(text: string, ports: readonly number[]): string {
  let same = text.replace(IDS, '<id>').replace(DATES, '\r\nDate: <now>\r\n').replace(TRACES, '<trace>');
  same = same.replaceAll(MUCH, '<64 KiB of x>');
  for (const port of ports) same = same.replaceAll(String(port), '<port>');
  return same;
}

export function neutralSights(sights: readonly Sight[], ports: readonly number[]): Sight[] {
  return sights.map(({ round, kind, text }) => ({ round, kind, text: neutral(text, ports) }));
}

/**
 * How long a connection to an endpoint is kept idle is drawn, between bounds that are learned over all cases: when it ends after the last
 * deed tells nothing.
 */
export function withoutIdleTime(sights: readonly Sight[], lastDeed: number): Sight[] {
  return sights.map((sight) =>
    sight.kind === 'data' || sight.round <= lastDeed ? sight : { ...sight, round: lastDeed + 1 },
  );
}

/** What of a record is the same in every run. Times are those of a clock that stands still between steps. */
export function comparable(record: ExchangeRecord, ports: readonly number[]): unknown {
  const { id: _id, trace: _trace, startedAtEpoch: _epoch, tls, end, ...rest } = record;
  const bug = end.bug === null ? null : String(end.bug);
  return JSON.parse(
    neutral(JSON.stringify({ ...rest, tls: tls === null ? null : 'tls', end: { ...end, bug } }), ports),
  );
}
