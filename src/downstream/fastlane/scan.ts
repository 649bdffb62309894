import { isTchar } from '../../http/octets.ts';

/** A request head that means the same to every parser (docs/fast-lane.md). */
export interface CanonicalHead {
  readonly method: string;
  /** Origin form, visible ASCII without `#`. */
  readonly target: string;
  /** Of the one Host field; its syntax was not looked at. */
  readonly host: string;
  /** `[name, value, …]` in received order and case. */
  readonly headers: readonly string[];
  /** Bytes of body that follow; 0 for none. */
  readonly contentLength: number;
  /** `Connection: close`. */
  readonly closes: boolean;
  /** Where the head ends and what follows begins. */
  readonly end: number;
}

/** `more`: the beginning of a head that may become canonical. `defer`: it is somebody else's to read. */
export type Scanned = CanonicalHead | 'more' | 'defer';

export interface HeadBounds {
  /** Of the whole head, CRLFs included. */
  readonly bytes: number;
  readonly count: number;
}

/** The most fields that a canonical head has. */
export const MAX_FIELDS = 100;

const NAME = 1;
const TARGET = 2;
const VALUE = 4;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const FRAGMENT = 0x23;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UNDERSCORE = 0x5f;
const DELETE = 0x7f;

/** One look per byte: 0.4 ns, where `charCodeAt` and comparisons take twice that. */
const CLASS = new Uint8Array(256);
for (let c = 0; c < 256; c += 1) {
  // A `_` in a name needs the treatment that the listener says.
  if (isTchar(c) && c !== UNDERSCORE) CLASS[c] = NAME;
  if (c > SPACE && c < DELETE && c !== FRAGMENT) CLASS[c] = (CLASS[c] as number) | TARGET;
  if (c === TAB || (c >= SPACE && c !== DELETE)) CLASS[c] = (CLASS[c] as number) | VALUE;
}

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const;

const VERSION = ' HTTP/1.1\r\n';

/** Offsets of the fields of the head that is being scanned: names' and values' starts and ends. Nothing else runs meanwhile. */
const offsets = new Int32Array(4 * MAX_FIELDS);

/** What fields decide, of the head that is being scanned. */
interface Found {
  hosts: number;
  host: number;
  contentLength: number;
  connection: '' | 'keep-alive' | 'close';
}

/**
 * Reads the request head that begins at `from`. It takes what llhttp and the checks of `http1/` take, with the same meaning, and
 * only that which no reader has ever read otherwise (RFC 9112 §11.2): everything else is `defer`, as soon as it is seen. Hot:
 * one pass over the bytes, one conversion to text, and slices of that. `from` to `to` are bytes that have come.
 */
export function scanHead(bytes: Buffer, from: number, to: number, bounds: HeadBounds): Scanned {
  const method = methodAt(bytes, from, to);
  if (method === null) return 'defer';
  const targetStart = from + method.length + 1;
  let at = targetStart;
  while (at < to && ((CLASS[bytes[at] as number] as number) & TARGET) !== 0) at += 1;
  const targetEnd = at;
  if (targetStart < to && bytes[targetStart] !== SLASH) return 'defer';
  const version = startsWith(bytes, at, to, VERSION);
  if (version !== 'yes') return version === 'no' ? 'defer' : unlessTooLong(to - from, bounds);
  const found: Found = { hosts: 0, host: -1, contentLength: -1, connection: '' };
  const fields = scanFields(bytes, at + VERSION.length, to, bounds, found);
  if (typeof fields === 'string') return fields === 'more' ? unlessTooLong(to - from, bounds) : fields;
  if (found.hosts !== 1 || fields.end - from > bounds.bytes) return 'defer';
  const text = bytes.toString('latin1', from, fields.end);
  const headers: string[] = [];
  for (let i = 0; i < 4 * fields.count; i += 4) {
    headers.push(
      text.slice((offsets[i] as number) - from, (offsets[i + 1] as number) - from),
      text.slice((offsets[i + 2] as number) - from, (offsets[i + 3] as number) - from),
    );
  }
  return {
    method,
    target: text.slice(targetStart - from, targetEnd - from),
    host: headers[found.host] as string,
    headers,
    contentLength: found.contentLength === -1 ? 0 : found.contentLength,
    closes: found.connection === 'close',
    end: fields.end,
  };
}

function unlessTooLong(length: number, bounds: HeadBounds): 'more' | 'defer' {
  return length < bounds.bytes ? 'more' : 'defer';
}

/** A known method and the space behind it. Not half of one: nobody's first packet is that short. */
function methodAt(bytes: Buffer, from: number, to: number): string | null {
  for (const method of METHODS) {
    if (bytes[from] !== method.charCodeAt(0)) continue;
    const end = from + method.length;
    if (end < to && bytes[end] === SPACE && startsWith(bytes, from, to, method) === 'yes') return method;
  }
  return null;
}

/** `maybe`: as far as it has come. */
function startsWith(bytes: Buffer, at: number, to: number, text: string): 'yes' | 'no' | 'maybe' {
  for (let i = 0; i < text.length; i += 1) {
    if (at + i >= to) return 'maybe';
    if (bytes[at + i] !== text.charCodeAt(i)) return 'no';
  }
  return 'yes';
}

interface Fields {
  readonly count: number;
  readonly end: number;
}

/** From the first field to the empty line. Leaves in `offsets` where they are, and in `found` what they say. */
function scanFields(
  bytes: Buffer,
  start: number,
  to: number,
  bounds: HeadBounds,
  found: Found,
): Fields | 'more' | 'defer' {
  let at = start;
  for (let count = 0; ; count += 1) {
    const nameStart = at;
    while (at < to && ((CLASS[bytes[at] as number] as number) & NAME) !== 0) at += 1;
    if (at === to) return 'more';
    if (at === nameStart) return endOfHead(bytes, at, to, count);
    if (bytes[at] !== COLON || count === bounds.count || count === MAX_FIELDS) return 'defer';
    const nameEnd = at;
    at += 1;
    while (at < to && isBlank(bytes[at] as number)) at += 1;
    const valueStart = at;
    while (at < to && ((CLASS[bytes[at] as number] as number) & VALUE) !== 0) at += 1;
    if (at + 1 >= to && (at === to || bytes[at] === CR)) return withoutValue(bytes, count, found, [nameStart, nameEnd]);
    if (bytes[at] !== CR || bytes[at + 1] !== LF) return 'defer';
    let valueEnd = at;
    while (valueEnd > valueStart && isBlank(bytes[valueEnd - 1] as number)) valueEnd -= 1;
    const i = 4 * count;
    offsets[i] = nameStart;
    offsets[i + 1] = nameEnd;
    offsets[i + 2] = valueStart;
    offsets[i + 3] = valueEnd;
    if (!note(bytes, i, found)) return 'defer';
    at += 2;
  }
}

/** A field whose end has not come: of some names Node's parser judges values as they come, others are not canonical with any. */
function withoutValue(bytes: Buffer, count: number, found: Found, name: readonly [number, number]): 'more' | 'defer' {
  const [start, end] = name;
  const i = 4 * count;
  offsets[i] = start;
  offsets[i + 1] = end;
  offsets[i + 2] = end;
  offsets[i + 3] = end;
  if (end - start === 'connection'.length && spells(bytes, start, 'connection')) return 'more';
  return note(bytes, i, found) ? 'more' : 'defer';
}

function endOfHead(bytes: Buffer, at: number, to: number, count: number): Fields | 'more' | 'defer' {
  if (bytes[at] !== CR) return 'defer';
  if (at + 1 === to) return 'more';
  return bytes[at + 1] === LF ? { count, end: at + 2 } : 'defer';
}

function isBlank(c: number): boolean {
  return c === SPACE || c === TAB;
}

/** Looks at the field at `offsets[i]`. False for one that is not canonical. The names that matter have these lengths. */
function note(bytes: Buffer, i: number, found: Found): boolean {
  const start = offsets[i] as number;
  switch ((offsets[i + 1] as number) - start) {
    case 2:
      return !spells(bytes, start, 'te');
    case 4:
      if (!spells(bytes, start, 'host')) return true;
      found.hosts += 1;
      found.host = i / 2 + 1;
      return true;
    case 6:
      return !spells(bytes, start, 'expect');
    case 7:
      return !spells(bytes, start, 'upgrade') && !spells(bytes, start, 'trailer');
    case 10:
      return !spells(bytes, start, 'connection') || noteConnection(bytes, i, found);
    case 11:
      return !spells(bytes, start, 'client-cert');
    case 14:
      if (spells(bytes, start, 'content-length')) return noteLength(bytes, i, found);
      return !spells(bytes, start, 'http2-settings');
    case 16:
      return !spells(bytes, start, 'proxy-connection');
    case 17:
      return !spells(bytes, start, 'transfer-encoding') && !spells(bytes, start, 'client-cert-chain');
  }
  return true;
}

function noteConnection(bytes: Buffer, i: number, found: Found): boolean {
  const start = offsets[i + 2] as number;
  const length = (offsets[i + 3] as number) - start;
  if (found.connection !== '') return false;
  if (length === 5 && spells(bytes, start, 'close')) found.connection = 'close';
  else if (length === 10 && spells(bytes, start, 'keep-alive')) found.connection = 'keep-alive';
  return found.connection !== '';
}

/** One length, 1 to 15 digits, without zeros in front and without blanks behind. */
function noteLength(bytes: Buffer, i: number, found: Found): boolean {
  const start = offsets[i + 2] as number;
  const end = offsets[i + 3] as number;
  if (found.contentLength !== -1 || end === start || end - start > 15 || bytes[end] !== CR) return false;
  if (bytes[start] === ZERO && end - start > 1) return false;
  let length = 0;
  for (let at = start; at < end; at += 1) {
    const c = bytes[at] as number;
    if (c < ZERO || c > NINE) return false;
    length = length * 10 + (c - ZERO);
  }
  found.contentLength = length;
  return true;
}

/** Are the bytes from `start` these lower-case letters, hyphens and digits, in any case? Only for bytes of a token. */
function spells(bytes: Buffer, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i += 1) {
    if (((bytes[start + i] as number) | 0x20) !== lower.charCodeAt(i)) return false;
  }
  return true;
}
