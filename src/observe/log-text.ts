/** Without the query, which often carries secrets. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

/** As JSON. */
export function quote(text: string | null): string {
  if (text === null) return 'null';
  return isPlain(text) ? `"${text}"` : JSON.stringify(text);
}

/** Visible ASCII without quote and backslash: nearly every value, and then JSON needs no escaping. */
export function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}

/** Names of the configuration and enumerated words, as JSON. At most `MOST_NAMES`: one more, and it begins anew. */
const names = new Map<string, string>();
const MOST_NAMES = 1_000;

/** The same for a name that many lines have: not for what a client says. */
export function quoteName(name: string | null): string {
  if (name === null) return 'null';
  const known = names.get(name);
  if (known !== undefined) return known;
  if (names.size === MOST_NAMES) names.clear();
  const text = quote(name);
  names.set(name, text);
  return text;
}

/** What stands behind the whole milliseconds: `FRACTIONS[20]` is `.02`. */
const FRACTIONS = Array.from({ length: 1_000 }, (_, microseconds) => String(microseconds / 1_000).slice(1));

/**
 * Nanoseconds are noise in a duration of milliseconds. Hot: six a line. Whole numbers are written in 18 ns, those with a fraction in 75, so
 * this takes the two sides of the point one by one.
 */
export function round(ms: number | null): string {
  if (ms === null) return 'null';
  const microseconds = Math.round(ms * 1000);
  // Nothing lasts for thirty years; clocks that go back would make it negative.
  if (!(microseconds >= 0 && microseconds < 1e15)) return String(microseconds / 1000);
  const whole = Math.floor(microseconds / 1000);
  return `${whole}${FRACTIONS[microseconds - whole * 1000]}`;
}

let lastSecond = -1;
let lastPrefix = '';
let lastMs = -1;
let lastTime = '';

/** ISO time with milliseconds; everything but the milliseconds is prepared once a second, and all of it once a millisecond. */
export function isoTime(epochMs: number): string {
  if (epochMs === lastMs) return lastTime;
  lastMs = epochMs;
  lastTime = timeOf(epochMs);
  return lastTime;
}

function timeOf(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${lastPrefix}${String(Math.floor(epochMs) % 1000).padStart(3, '0')}Z`;
}
