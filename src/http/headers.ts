/** Field lines as `[name, value, name, value, …]`, in received order and case, repeats kept (RFC 9110 §5.3). Names are latin1. */
export type HeaderList = readonly string[];

/** The same, while it is being built or edited by its one owner. */
export type HeaderDraft = string[];

export const noHeaders: HeaderList = Object.freeze([]);

/** Case-insensitive name comparison; `lower` must already be lower case. Length first: most names differ in it. */
export function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}

/** First value of the field `lower`, or `null`. */
export function getHeader(headers: HeaderList, lower: string): string | null {
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, lower)) return headers[i + 1] as string;
  }
  return null;
}

/** Every value of the field `lower`, in order. */
export function getHeaders(headers: HeaderList, lower: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, lower)) values.push(headers[i + 1] as string);
  }
  return values;
}

/** All field lines of `lower` as one list value joined by `, ` (RFC 9110 §5.3), or `null`. Not for Set-Cookie. */
export function getCombined(headers: HeaderList, lower: string): string | null {
  let combined: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lower)) continue;
    combined = combined === null ? (headers[i + 1] as string) : `${combined}, ${headers[i + 1]}`;
  }
  return combined;
}

export function hasHeader(headers: HeaderList, lower: string): boolean {
  return getHeader(headers, lower) !== null;
}

/** Removes every line of `lower`; returns how many there were. */
export function removeHeader(headers: HeaderDraft, lower: string): number {
  for (let i = 0; i < headers.length; i += 2) {
    // Most lists have none: to look takes 5 ns for eight lines, to write them where they are takes 33.
    if (isNamed(headers[i] as string, lower)) return removeFrom(headers, lower, i);
  }
  return 0;
}

/** Replaces every line of the field by one; the first line's place is kept so that order stays stable. */
export function setHeader(headers: HeaderDraft, name: string, value: string): void {
  const lower = name.toLowerCase();
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, lower)) continue;
    headers[i] = name;
    headers[i + 1] = value;
    removeFrom(headers, lower, i + 2);
    return;
  }
  headers.push(name, value);
}

/** Returns how many lines there were. */
function removeFrom(headers: HeaderDraft, lower: string, from: number): number {
  let kept = from;
  for (let i = from; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, lower)) continue;
    headers[kept] = headers[i] as string;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  const removed = (headers.length - kept) / 2;
  if (removed > 0) headers.length = kept;
  return removed;
}
