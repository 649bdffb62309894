import type { CaseField } from './case.ts';

const DATE_FIELDS = new Set(['date', 'expires', 'last-modified', 'if-modified-since', 'if-unmodified-since']);
const LOCATION_FIELDS = new Set(['location', 'content-location']);

/** What a field's value is reckoned from. */
export interface FieldFacts {
  /** The origin's clock, epoch milliseconds. */
  readonly nowMs: number;
  /** Path of the case at the origin. */
  readonly base: string;
  readonly magicLocations: boolean;
  readonly rfc850: readonly string[];
}

/** The text that a case means by a field's value. */
export function fieldText([name, value]: CaseField | readonly [string, string | number], facts: FieldFacts): string {
  const lower = name.toLowerCase();
  if (typeof value === 'number' && DATE_FIELDS.has(lower)) {
    const date = new Date(facts.nowMs + value * 1000);
    return facts.rfc850.includes(lower) ? rfc850Date(date) : date.toUTCString();
  }
  if (!LOCATION_FIELDS.has(lower) || !facts.magicLocations) return String(value);
  return value === '' ? facts.base : `${facts.base}/${value}`;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** `Sunday, 06-Nov-94 08:49:37 GMT` */
function rfc850Date(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(' ') as [string, string, string, string, string];
  return `${DAYS[date.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}
