import type { Field } from './fields.ts';
import { FilterError } from './filter-error.ts';

/** What a field can be equal to; `class` is the first digit of a status (`5xx`). */
export type Value = number | string | boolean | null | { readonly class: number };

const DURATION_MS: Readonly<Record<string, number>> = { '': 1, us: 0.001, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const BYTES: Readonly<Record<string, number>> = { '': 1, k: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/**
 * `text` as a value of `field`: numbers, statuses (`404`, `5xx`), durations (`1.5s`, `200ms`; milliseconds without a unit), sizes
 * (`10k`, `1M`; bytes without one), `true` and `false`, anything for a text.
 * @throws FilterError
 */
export function readValue(text: string, { name, kind }: Field, at: number): Value {
  switch (kind) {
    case 'text':
    case 'texts':
      return text;
    case 'truth':
      if (text === 'true' || text === 'false') return text === 'true';
      throw new FilterError(`“${name}” is true or false, not “${text}”`, at);
    case 'status':
      if (/^[1-5]xx$/i.test(text)) return { class: Number(text[0]) };
      return plainNumber(text, at, 'a status: 404, 5xx');
    case 'number':
      return plainNumber(text, at, 'a number');
    case 'duration':
      return withUnit(text, DURATION_MS, at, 'a duration: 200ms, 1.5s, 2m');
    case 'size':
      return withUnit(text, BYTES, at, 'a size: 512, 10k, 1M');
  }
}

function plainNumber(text: string, at: number, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new FilterError(`“${text}” is not ${what}`, at);
  return Number(text);
}

function withUnit(text: string, units: Readonly<Record<string, number>>, at: number, what: string): number {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,9})?)([A-Za-z]*)$/.exec(text) ?? [];
  if (number === undefined || !Object.hasOwn(units, unit)) throw new FilterError(`“${text}” is not ${what}`, at);
  return Number(number) * (units[unit] as number);
}
