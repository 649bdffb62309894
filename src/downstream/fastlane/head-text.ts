import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../../http/headers.ts';
import { frame, lengthOf } from '../http1/response-framing.ts';

/** What a head depends on besides its fields. */
export interface HeadFraming {
  /** HEAD, 204, 304: neither a body nor a chunked coding. */
  readonly bodyless: boolean;
  readonly keepAlive: boolean;
  /** The whole body's length, to be announced where no field does; -1 when it is not known, or may not be told (204, 304). */
  readonly length: number;
  /** The beginning of the head, as it was made before; `null` for none. */
  readonly opening: Opening | null;
}

/** The first lines of a head, for all responses that begin with the same fields. */
export interface Opening {
  readonly text: string;
  /** How much of the header list it stands for. */
  readonly count: number;
  /** By Content-Length, or -1. */
  readonly announced: number;
  readonly hasLength: boolean;
  readonly dated: boolean;
}

/** A response head, ready to be written as latin1. */
export interface HeadText {
  /** Up to and with the empty line. */
  readonly text: string;
  /** By Content-Length, or -1. */
  readonly announced: number;
  /** The body is to be sent in chunks (RFC 9112 §7.1). */
  readonly chunked: boolean;
}

/** What is to be done with a field, by its name alone. */
const PLAIN = 0;
const LENGTH = 1;
const DATE = 2;
/** Connection, Keep-Alive, Transfer-Encoding: this side's own, never passed on. */
const OWN = 3;
/** Trailer, Content-Disposition: may have to be left out or moved, which takes a look at all the fields first. */
const REFRAME = 4;

interface FieldName {
  /** The end of the line before, the name and its colon: one string to append in place of three. */
  readonly opening: string;
  readonly kind: number;
}

/** Names repeat: with them known, a field costs a look-up and a scan of its value. Bounds: 1000 names of 64 characters. */
const NAMES = 1000;
const NAME_LENGTH = 64;
const known = new Map<string, FieldName>();

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What Node's ServerResponse refuses in a value (ERR_INVALID_CHAR): controls but the tab, DEL, and what is not latin1. */
const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

const statusLines = new Map<number, Opening>();

const KEEP_ALIVE = '\r\nConnection: keep-alive\r\n\r\n';
const CLOSE = '\r\nConnection: close\r\n\r\n';
const CHUNKED_KEEP_ALIVE = '\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n';
const CHUNKED_CLOSE = '\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';

let dateLine = '';

/**
 * The head of a final response as Node's ServerResponse would write it, byte for byte: the fields in order and case, then Date
 * unless there is one, Connection, Transfer-Encoding. `null` for one that Node would refuse to write. Hot.
 */
export function headText(status: number, headers: HeaderList, framing: HeadFraming): HeadText | null {
  const line = framing.opening ?? statusLine(status);
  if (line === null) return null;
  const lines = linesOf(status, headers, line);
  if (lines === 'reframe') return reframed(status, headers, framing);
  return lines === null ? null : whole(lines, framing);
}

/** The lines of the fields that a head begins with. `null` where they can't be sent, or not without a look at those that follow. */
export function openingOf(status: number, fields: HeaderList): Opening | null {
  const line = statusLine(status);
  const lines = line === null ? null : linesOf(status, fields, line);
  return lines === 'reframe' ? null : lines;
}

/** A chunked body's trailer section, without the empty line behind it. `null` for one that Node would refuse to write. */
export function trailerText(trailers: HeaderList): string | null {
  let text = '';
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] as string;
    const value = trailers[i + 1] as string;
    if (!token.test(name) || unsendable.test(value)) return null;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** One pass over the fields that come after `opening`, in order. */
function linesOf(status: number, headers: HeaderList, opening: Opening): Opening | 'reframe' | null {
  let { text, announced, hasLength, dated } = opening;
  for (let i = opening.count; i < headers.length; i += 2) {
    const name = fieldName(headers[i] as string);
    if (name === null) return null;
    const value = headers[i + 1] as string;
    const { kind } = name;
    if (kind !== PLAIN) {
      if (kind === OWN) continue;
      if (kind === REFRAME) return 'reframe';
      if (kind === DATE) {
        dated = true;
      } else {
        announced = lengthOf(value);
        // RFC 9110 §8.6
        if (status === 204) continue;
        hasLength = true;
      }
    }
    if (unsendable.test(value)) return null;
    text += name.opening + value;
  }
  return { text, count: headers.length, announced, hasLength, dated };
}

/** The long way, for the rare fields that can't be judged alone. */
function reframed(status: number, headers: HeaderList, framing: HeadFraming): HeadText | null {
  const announcing = withLength(status, headers, framing.length);
  const framed = frame(announcing, { status, unchunked: framing.bodyless });
  let text = (statusLine(status) as Opening).text;
  let hasLength = false;
  let dated = false;
  for (let i = 0; i < framed.headers.length; i += 2) {
    const name = fieldName(framed.headers[i] as string);
    const value = framed.headers[i + 1] as string;
    if (name === null || unsendable.test(value)) return null;
    if (name.kind === LENGTH) hasLength = true;
    if (name.kind === DATE) dated = true;
    text += name.opening + value;
  }
  const lines = { text, count: headers.length, announced: framed.contentLength, hasLength, dated };
  return whole(lines, { ...framing, length: -1 });
}

/** What this side adds to the fields. */
function whole(lines: Opening, { bodyless, keepAlive, length }: HeadFraming): HeadText {
  let { text, announced, hasLength } = lines;
  if (!hasLength && length !== -1) {
    announced = length;
    hasLength = true;
    text += `\r\nContent-Length: ${length}`;
  }
  if (!lines.dated) text += dateLine === '' ? newDateLine() : dateLine;
  const chunked = !hasLength && !bodyless;
  return { text: text + ending(keepAlive, chunked), announced, chunked };
}

function withLength(status: number, headers: HeaderList, length: number): HeaderList {
  if (length === -1 || status === 204 || status === 304) return headers;
  for (let i = 0; i < headers.length; i += 2) {
    if (fieldName(headers[i] as string)?.kind === LENGTH) return headers;
  }
  return [...headers, 'Content-Length', String(length)];
}

function ending(keepAlive: boolean, chunked: boolean): string {
  if (keepAlive) return chunked ? CHUNKED_KEEP_ALIVE : KEEP_ALIVE;
  return chunked ? CHUNKED_CLOSE : CLOSE;
}

function statusLine(status: number): Opening | null {
  const line = statusLines.get(status);
  if (line !== undefined) return line;
  if (!Number.isInteger(status) || status < 100 || status > 999) return null;
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}`;
  const made = { text, count: 0, announced: -1, hasLength: false, dated: false };
  statusLines.set(status, made);
  return made;
}

function fieldName(name: string): FieldName | null {
  const seen = known.get(name);
  if (seen !== undefined) return seen;
  if (!token.test(name)) return null;
  const made = { opening: `\r\n${name}: `, kind: kindOf(name.toLowerCase()) };
  if (name.length > NAME_LENGTH) return made;
  if (known.size === NAMES) known.clear();
  known.set(name, made);
  return made;
}

function kindOf(lower: string): number {
  switch (lower) {
    case 'content-length':
      return LENGTH;
    case 'date':
      return DATE;
    case 'connection':
    case 'keep-alive':
    case 'transfer-encoding':
      return OWN;
    case 'trailer':
    case 'content-disposition':
      return REFRAME;
    default:
      return PLAIN;
  }
}

/** Kept until the second is over, as Node keeps its own: no response looks at the clock. */
function newDateLine(): string {
  const now = new Date();
  dateLine = `\r\nDate: ${now.toUTCString()}`;
  setTimeout(dropDateLine, 1000 - now.getMilliseconds()).unref();
  return dateLine;
}

function dropDateLine(): void {
  dateLine = '';
}
