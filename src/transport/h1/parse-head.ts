import type { HeaderDraft } from '../../http/headers.ts';

/** What `HeadReader.read` returns in place of a position: the head goes on behind this text, or is none (`fault`). */
export const MORE = -1;
export const FAULT = -2;

/** Why a head is refused; `too-large` has an error of its own. */
export type HeadFault = 'malformed' | 'too-large';

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;
const ZERO = 0x30;
const NINE = 0x39;
/** Of bodies and of chunks: what llhttp counts in 64 bits. */
export const SIZE_LIMIT = 2 ** 64;
/** `HTTP/1.1 200` */
const STATUS_LINE_LENGTH = 12;

/** 1: may be in a field name (RFC 9110 §5.6.2). 2: in a value too, with a space or a tab. */
const TCHAR = new Uint8Array(256);
const VALUE = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  TCHAR[char.charCodeAt(0)] = 1;
for (let code = 0; code < 256; code += 1) VALUE[code] = (code >= SPACE && code !== 0x7f) || code === TAB ? 1 : 0;

/**
 * Reads the head of a response, or a trailer section, out of text of one latin1 character for each byte, cut anywhere. Strict: what
 * RFC 9112 forbids a sender is a fault, also where §2.2 and §5.2 would let a recipient repair it, for two repairs that differ are a
 * smuggled response. The same is refused as by llhttp without its lenient flags.
 *
 * Hot. One pass over the characters, and a substring of the text for each name and value: 0.5 µs for a head of nine fields.
 */
export class HeadReader {
  /** 0 until the status line is complete. */
  status = 0;
  /** HTTP/1.1: the connection is kept unless they say otherwise. HTTP/1.0 and whatever else: only if they say so. */
  persistent = false;
  fields: HeaderDraft = [];
  fault: HeadFault = 'malformed';
  /** By `Content-Length`; -1 without. */
  length = -1;
  /** Lines of `Transfer-Encoding`, and whether one says exactly `chunked`. */
  codings = 0;
  chunked = false;
  saysClose = false;
  saysKeepAlive = false;
  saysUpgrade = false;
  /** The first `Keep-Alive`. */
  keepAlive: string | null = null;
  upgrade = false;
  /** A `Transfer-Encoding` had a value: llhttp takes an empty one for none. */
  #coded = false;
  readonly #maxBytes: number;
  #bytes = 0;
  /** The line that is not complete yet; at most `#maxBytes` and what one read brings. */
  #held = '';

  /** `maxBytes`, of names and values together, is one too many. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Something of the head was there already. */
  get begun(): boolean {
    return this.status !== 0 || this.#held !== '';
  }

  /** Before each head. */
  reset(): void {
    this.status = 0;
    this.persistent = false;
    this.fields = [];
    this.length = -1;
    this.codings = 0;
    this.chunked = false;
    this.saysClose = false;
    this.saysKeepAlive = false;
    this.saysUpgrade = false;
    this.keepAlive = null;
    this.upgrade = false;
    this.#coded = false;
    this.#bytes = 0;
    this.#held = '';
  }

  /** Reads on with `chunk`; returns how much of it belongs to the head, `MORE` for all of it and the head is not complete, or `FAULT`. */
  read(chunk: string): number {
    const held = this.#held.length;
    const text = held === 0 ? chunk : this.#held + chunk;
    let at = 0;
    if (this.status === 0) {
      at = this.#statusLine(text);
      if (at < 0) return at;
    }
    at = this.#fieldLines(text, at);
    if (at < 0) return at;
    this.#held = '';
    return at - held;
  }

  /** A trailer section is field lines and nothing before them: as if the status line had been read, and how the body is framed. */
  readTrailers(chunk: string): number {
    this.status = 200;
    this.codings = 1;
    this.#coded = true;
    return this.read(chunk);
  }

  /** `HTTP/1.1 200 OK`, the reason phrase being anything (RFC 9112 §4). Returns where the next line begins. */
  #statusLine(text: string): number {
    let at = 0;
    // Line ends between two messages, which llhttp passes over too.
    while (text.charCodeAt(at) === LF || text.charCodeAt(at) === CR) at += 1;
    const end = text.length;
    const stop = at + STATUS_LINE_LENGTH;
    if (end <= stop) return isStatusStart(text.substring(at)) ? this.#hold(text, at) : FAULT;
    if (!isStatusStart(text.substring(at, stop))) return FAULT;
    const next = text.charCodeAt(stop);
    if (next !== SPACE && next !== CR) return FAULT;
    let i = stop;
    while (i < end && text.charCodeAt(i) !== CR && text.charCodeAt(i) !== LF) i += 1;
    if (i + 1 >= end) return i < end && text.charCodeAt(i) === LF ? FAULT : this.#hold(text, at);
    if (text.charCodeAt(i) !== CR || text.charCodeAt(i + 1) !== LF) return FAULT;
    // 000 to 099 are no class at all (RFC 9110 §15), for who reads the head to say; 0 is none yet.
    this.status = Number(text.substring(at + 9, stop)) || 1;
    this.persistent = text.charCodeAt(at + 5) > ZERO && text.charCodeAt(at + 7) > ZERO;
    return i + 2;
  }

  /** Returns the position behind the empty line. */
  #fieldLines(text: string, from: number): number {
    const end = text.length;
    let at = from;
    for (;;) {
      let i = at;
      while (i < end && TCHAR[text.charCodeAt(i)] === 1) i += 1;
      if (i === at) return i < end ? this.#emptyLine(text, at) : this.#hold(text, at);
      if (i === end) return this.#hold(text, at);
      if (text.charCodeAt(i) !== COLON) return FAULT;
      const colon = i;
      i += 1;
      while (i < end && (text.charCodeAt(i) === SPACE || text.charCodeAt(i) === TAB)) i += 1;
      const start = i;
      while (i < end && VALUE[text.charCodeAt(i)] === 1) i += 1;
      if (i + 1 >= end) return i === end || text.charCodeAt(i) === CR ? this.#hold(text, at) : FAULT;
      if (text.charCodeAt(i) !== CR || text.charCodeAt(i + 1) !== LF) return FAULT;
      this.#bytes += colon - at + i - start;
      if (this.#bytes >= this.#maxBytes) return this.#tooLarge();
      if (!this.#field(text.substring(at, colon), text, start, i)) return FAULT;
      at = i + 2;
    }
  }

  #emptyLine(text: string, at: number): number {
    // Anything else that is no field name is a fault: a colon, a space before a name, a folded line (RFC 9112 §5.2).
    if (text.charCodeAt(at) !== CR) return FAULT;
    if (at + 1 === text.length) return this.#hold(text, at);
    return text.charCodeAt(at + 1) === LF ? at + 2 : FAULT;
  }

  #field(name: string, text: string, start: number, end: number): boolean {
    let last = end;
    while (last > start && (text.charCodeAt(last - 1) === SPACE || text.charCodeAt(last - 1) === TAB)) last -= 1;
    const value = text.substring(start, last);
    this.fields.push(name, value);
    switch (name.length) {
      case 7:
        if (name.toLowerCase() === 'upgrade') this.upgrade = true;
        return true;
      case 10:
        return this.#aboutConnection(name.toLowerCase(), value);
      case 14:
        return name.toLowerCase() !== 'content-length' || this.#contentLength(value, text.charCodeAt(end - 1));
      case 16:
        // Obsolete, and read as `Connection` by llhttp: an endpoint that says so means to close.
        return name.toLowerCase() !== 'proxy-connection' || this.#options(value);
      case 17:
        return name.toLowerCase() !== 'transfer-encoding' || this.#transferEncoding(value, last === end);
      default:
        return true;
    }
  }

  #aboutConnection(lower: string, value: string): boolean {
    if (lower === 'keep-alive') this.keepAlive ??= value;
    return lower !== 'connection' || this.#options(value);
  }

  #options(value: string): boolean {
    for (const option of value.toLowerCase().split(',')) {
      const token = option.trim();
      if (token === 'close') this.saysClose = true;
      else if (token === 'keep-alive') this.saysKeepAlive = true;
      else if (token === 'upgrade') this.saysUpgrade = true;
    }
    return true;
  }

  /** One, of digits only, `last` being no tab as llhttp has it: two, even equal ones, are as doubtful as a list of them (RFC 9112 §6.3). */
  #contentLength(value: string, last: number): boolean {
    if (last === TAB || this.length !== -1 || this.#coded || value === '') return false;
    if (!areDigits(value, 0)) return false;
    // Inexact beyond 2⁵³: nobody sees the end of so many bytes, and an answer to HEAD may well announce them.
    this.length = Number(value);
    return this.length < SIZE_LIMIT;
  }

  /** `exact`: nothing stood behind the value. What llhttp reads as chunked with a space behind it, others do not (llhttp#876). */
  #transferEncoding(value: string, exact: boolean): boolean {
    if (this.length !== -1) return false;
    this.codings += 1;
    if (value !== '') this.#coded = true;
    this.chunked = exact && value.toLowerCase() === 'chunked';
    return true;
  }

  #hold(text: string, at: number): number {
    if (this.status !== 0 && this.#isDoomed(text, at)) return FAULT;
    this.#held = at === 0 ? text : text.substring(at);
    if (this.#held.length + this.#bytes > this.#maxBytes + STATUS_LINE_LENGTH) return this.#tooLarge();
    return MORE;
  }

  /** Whether the line that begins at `at` can't become a field that frames a body, whatever comes: an endpoint may stop there, and nobody shall wait. */
  #isDoomed(text: string, at: number): boolean {
    const colon = text.indexOf(':', at);
    if (colon - at !== 14 && colon - at !== 17) return false;
    const name = text.substring(at, colon).toLowerCase();
    if (name === 'transfer-encoding') return this.length !== -1;
    if (name !== 'content-length') return false;
    const value = text.substring(colon + 1).trimStart();
    return this.#coded || (value !== '' && (this.length !== -1 || !LENGTH_SO_FAR.test(value)));
  }

  #tooLarge(): number {
    this.fault = 'too-large';
    return FAULT;
  }
}

const LENGTH_SO_FAR = /^\d+ *\r?$/;

/** `HTTP/1.1 200`, or the beginning of it. The versions are those that llhttp takes. */
function isStatusStart(text: string): boolean {
  for (const version of VERSIONS) {
    if (text.length <= version.length) {
      if (version.startsWith(text)) return true;
    } else if (text.startsWith(version)) return areDigits(text, version.length);
  }
  return false;
}

const VERSIONS = ['HTTP/1.1 ', 'HTTP/1.0 ', 'HTTP/2.0 ', 'HTTP/0.9 '];

function areDigits(text: string, from: number): boolean {
  for (let i = from; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}
