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

/** Microseconds are noise in a duration of milliseconds. */
export function round(ms: number | null): string {
  return ms === null ? 'null' : String(Math.round(ms * 1000) / 1000);
}

let lastSecond = -1;
let lastPrefix = '';

/** ISO time with milliseconds; everything but the milliseconds is prepared once a second. */
export function isoTime(epochMs: number): string {
  const second = Math.floor(epochMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${lastPrefix}${String(Math.floor(epochMs) % 1000).padStart(3, '0')}Z`;
}
