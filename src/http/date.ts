const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const FIFTY_YEARS = 50;

const time = '([0-9]{2}):([0-9]{2}):([0-9]{2})';
const shortDay = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longDay = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const month = `(${MONTHS.join('|')})`;

// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`
const imfFixdate = new RegExp(`^${shortDay}, ([0-9]{2}) ${month} ([0-9]{4}) ${time} gmt$`, 'i');
const rfc850Date = new RegExp(`^${longDay}, ([0-9]{2})-${month}-([0-9]{2}) ${time} gmt$`, 'i');
const asctimeDate = new RegExp(`^${shortDay} ${month} ([0-9]{2}| [0-9]) ${time} ([0-9]{4})$`, 'i');

/**
 * Milliseconds since the epoch of an HTTP date in any of its three forms (RFC 9110 §5.6.7), or `null`. Letter case does
 * not matter, as RFC 9111 §4.2 asks of caches; the day of the week is not checked against the date; every zone but GMT is
 * refused. `nowMs` decides the century of a two-digit year: never more than 50 years ahead.
 */
export function parseHttpDate(text: string, nowMs = Date.now()): number | null {
  const imf = imfFixdate.exec(text);
  if (imf !== null) return toEpoch(Number(imf[3]), imf[2], imf[1], imf.slice(4));
  const rfc850 = rfc850Date.exec(text);
  if (rfc850 !== null) return toEpoch(fullYear(Number(rfc850[3]), nowMs), rfc850[2], rfc850[1], rfc850.slice(4));
  const asctime = asctimeDate.exec(text);
  if (asctime !== null) return toEpoch(Number(asctime[6]), asctime[1], asctime[2], asctime.slice(3, 6));
  return null;
}

function fullYear(lastTwoDigits: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const year = thisYear - (thisYear % 100) + lastTwoDigits;
  if (year > thisYear + FIFTY_YEARS) return year - 100;
  return year + 100 <= thisYear + FIFTY_YEARS ? year + 100 : year;
}

function toEpoch(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  clock: readonly string[],
): number | null {
  const [hours, minutes, seconds] = clock.map(Number);
  if (monthName === undefined || hours === undefined || minutes === undefined || seconds === undefined) return null;
  // 60 is a leap second, which the epoch does not know: it becomes the next minute.
  if (hours > 23 || minutes > 59 || seconds > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, MONTHS.indexOf(monthName.toLowerCase()), Number(day));
  if (date.getUTCDate() !== Number(day)) return null;
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

let lastSecond = Number.NaN;
let lastText = '';

/** IMF-fixdate (RFC 9110 §5.6.7) of `ms` rounded down to its second. The last answer is kept: all of a second's responses share it. */
export function formatHttpDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toUTCString();
    lastSecond = second;
  }
  return lastText;
}
