import { SIZE_LIMIT } from './parse-head.ts';

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Leading zeros count as well, or they had no bound. */
const MAX_SIZE_DIGITS = 64;
/** Extensions of one chunk (RFC 9112 §7.1.1: a recipient ought to limit them). Nobody is known to use any. */
const MAX_EXTENSION_BYTES = 16 * 1024;

type State =
  | 'size'
  | 'semicolon'
  | 'name'
  | 'equals'
  | 'value'
  | 'quoted'
  | 'escaped'
  | 'unquoted'
  | 'size-end'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'last';

/**
 * Finds the data in a chunked body (RFC 9112 §7.1), cut anywhere. Extensions are checked and dropped. What follows the last chunk,
 * the trailer section, is somebody else's to read.
 */
export class ChunkReader {
  /** Bytes of data that the present chunk still has. */
  left = 0;
  /** The last chunk has begun: a trailer section comes next, though perhaps no more than its empty line. */
  isLast = false;
  #state: State = 'size';
  #digits = 0;
  #size = 0;
  #extension = 0;

  reset(): void {
    this.left = 0;
    this.isLast = false;
    this.#state = 'size';
    this.#digits = 0;
    this.#size = 0;
  }

  /** `count` bytes of data were taken. */
  take(count: number): void {
    this.left -= count;
    if (this.left === 0) this.#state = 'data-cr';
  }

  /** Passes over what is no data, from `at` to `end` at most; returns where it stopped: at data, behind the last chunk's line, at `end`. -1: no chunk. */
  advance(bytes: Uint8Array, at: number, end: number): number {
    for (let i = at; i < end; i += 1) {
      if (this.left > 0 || this.isLast) return i;
      if (!this.#step(bytes[i] as number)) return -1;
    }
    return end;
  }

  #step(byte: number): boolean {
    switch (this.#state) {
      case 'size':
        return this.#sizeDigit(byte);
      case 'size-end':
        return byte === LF && this.#sizeEnds();
      case 'data-cr':
        this.#state = 'data-lf';
        return byte === CR;
      case 'data-lf':
        this.#state = 'size';
        this.#digits = 0;
        this.#size = 0;
        return byte === LF;
      default:
        this.#extension += 1;
        return this.#extension <= MAX_EXTENSION_BYTES && this.#extensionByte(byte);
    }
  }

  #sizeDigit(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#digits += 1;
      this.#size = this.#size * 16 + digit;
      return this.#digits <= MAX_SIZE_DIGITS && this.#size < SIZE_LIMIT;
    }
    if (this.#digits === 0) return false;
    if (byte === CR) this.#state = 'size-end';
    else if (byte === SEMICOLON) {
      this.#state = 'semicolon';
      this.#extension = 0;
    } else return false;
    return true;
  }

  #sizeEnds(): boolean {
    this.left = this.#size;
    this.isLast = this.#size === 0;
    this.#state = this.isLast ? 'last' : 'data';
    return true;
  }

  /** `;name`, `;name=token`, `;name="quoted"`, again and again. */
  #extensionByte(byte: number): boolean {
    const state = this.#state;
    if (state === 'quoted') {
      if (byte === QUOTE) this.#state = 'unquoted';
      else if (byte === BACKSLASH) this.#state = 'escaped';
      else return isText(byte);
      return true;
    }
    if (state === 'escaped') {
      this.#state = 'quoted';
      return isText(byte);
    }
    if (byte === CR) {
      this.#state = 'size-end';
      return state !== 'semicolon';
    }
    if (byte === SEMICOLON) this.#state = 'semicolon';
    else if (state === 'unquoted') return false;
    else if (byte === EQUALS && (state === 'name' || state === 'semicolon')) this.#state = 'equals';
    else if (byte === QUOTE && state === 'equals') this.#state = 'quoted';
    else if (!isToken(byte)) return false;
    else if (state === 'equals') this.#state = 'value';
    else if (state === 'semicolon') this.#state = 'name';
    return true;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isText(byte: number): boolean {
  return byte === TAB || (byte >= SPACE && byte !== 0x7f);
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;

/** RFC 9110 §5.6.2. */
function isToken(byte: number): boolean {
  return TOKEN.test(String.fromCharCode(byte));
}
