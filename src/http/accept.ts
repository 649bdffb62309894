import { withoutBlanks } from './blanks.ts';

/** More of them than any browser sends; the rest of a list is not looked at. */
const MAX_RANGES = 64;

interface MediaRange {
  readonly type: string;
  readonly subtype: string;
  readonly q: number;
}

/** How much a media type is wanted. */
interface Wish {
  readonly q: number;
  /** 3 for the type itself, 2 for `type/*`, 1 for what takes anything, 0 for none. */
  readonly precision: number;
  /** In the list. */
  readonly place: number;
}

const unwanted: Wish = { q: 0, precision: 0, place: MAX_RANGES };

/**
 * Index of the offer that an `Accept` of this combined value wants most (RFC 9110 §12.5.1), -1 when it wants none. Of those of one weight:
 * who is named more precisely, then who is named first, then who is offered first. Without the field, or with nothing in it that can be read, all are wanted.
 * Offers are media types in lower case, without parameters.
 */
export function mostWanted(offers: readonly string[], accept: string | null): number {
  const ranges = accept === null ? [] : parse(accept);
  if (ranges.length === 0) return offers.length === 0 ? -1 : 0;
  let best = -1;
  let bestWish = unwanted;
  for (const [index, offer] of offers.entries()) {
    const wish = wishFor(offer, ranges);
    if (wish.q === 0 || !isMore(wish, bestWish)) continue;
    best = index;
    bestWish = wish;
  }
  return best;
}

function isMore(a: Wish, b: Wish): boolean {
  if (a.q !== b.q) return a.q > b.q;
  return a.precision === b.precision ? a.place < b.place : a.precision > b.precision;
}

/** By the range that names it most precisely, whatever others would give it. */
function wishFor(offer: string, ranges: readonly MediaRange[]): Wish {
  const slash = offer.indexOf('/');
  let found = unwanted;
  for (const [place, { type, subtype, q }] of ranges.entries()) {
    let precision = 0;
    if (type === '*') precision = 1;
    else if (type === offer.slice(0, slash)) {
      if (subtype === '*') precision = 2;
      else if (subtype === offer.slice(slash + 1)) precision = 3;
    }
    if (precision > found.precision) found = { q, precision, place };
  }
  return found;
}

const RANGE = /^([!#$%&'*+.^_`|~0-9a-z-]+)\/([!#$%&'*+.^_`|~0-9a-z-]+)$/;
const WEIGHT = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

/** Parameters of a media type are not told apart: it is one page for all of them. What is malformed says nothing. */
function parse(accept: string): readonly MediaRange[] {
  const ranges: MediaRange[] = [];
  for (const part of accept.toLowerCase().split(',', MAX_RANGES)) {
    const [name = '', ...parameters] = part.split(';').map(withoutBlanks);
    const found = RANGE.exec(name);
    if (found === null) continue;
    const [, type = '', subtype = ''] = found;
    if (type === '*' && subtype !== '*') continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const q = weight === undefined ? 1 : Number(WEIGHT.exec(weight)?.[1] ?? Number.NaN);
    if (!Number.isNaN(q)) ranges.push({ type, subtype, q });
  }
  return ranges;
}
