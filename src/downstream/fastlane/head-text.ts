import { STATUS_CODES } from 'node:http';
import type { HeaderList } from '../../http/headers.ts';
import { frame, lengthOf } from '../http1/response-framing.ts';

/** What a head depends on besides its fields. */
export interface HeadFraming {
  /** HEAD, 204, 304: neither a body nor a chunked coding. */
  readonly bodyless: boolean;
  readonly keepAlive: boolean;
  /** The whole body's length, to be announced where no field does; -1 when it is not known. */
  readonly length: number;
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

const statusLines = new Map<number, string>();

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
  let text = statusLine(status);
  if (text === null) return null;
  let announced = -1;
  let hasLength = false;
  let dated = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = fieldName(headers[i] as string);
    if (name === null) return null;
    const value = headers[i + 1] as string;
    const { kind } = name;
    if (kind !== PLAIN) {
      if (kind === OWN) continue;
      if (kind === REFRAME) return reframed(status, headers, framing);
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
  if (!hasLength && framing.length !== -1 && status !== 204 && status !== 304) {
    announced = framing.length;
    hasLength = true;
    text += `\r\nContent-Length: ${announced}`;
  }
  if (!dated) text += dateLine === '' ? newDateLine() : dateLine;
  const chunked = !hasLength && !framing.bodyless;
  return { text: text + ending(framing.keepAlive, chunked), announced, chunked };
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

/** The long way, for the rare fields that can't be judged alone. */
function reframed(status: number, headers: HeaderList, framing: HeadFraming): HeadText | null {
  const { bodyless, keepAlive, length } = framing;
  const announcing = withLength(status, headers, length);
  const framed = frame(announcing, { status, unchunked: bodyless });
  let text = statusLine(status) as string;
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
  if (!dated) text += dateLine === '' ? newDateLine() : dateLine;
  const chunked = !hasLength && !bodyless;
  return { text: text + ending(keepAlive, chunked), announced: framed.contentLength, chunked };
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

function statusLine(status: number): string | null {
  const line = statusLines.get(status);
  if (line !== undefined) return line;
  if (!Number.isInteger(status) || status < 100 || status > 999) return null;
  const made = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}`;
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
