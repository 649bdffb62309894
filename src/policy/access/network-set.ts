import { isDigit } from '../../http/octets.ts';
import { readIp } from './ip-text.ts';
import { RangeTable } from './range-table.ts';

/** Clients on a Unix socket have no other address. */
const UNIX = 'unix:';
const SLASH = 0x2f;

const key = new Uint32Array(4);

/** Addresses and networks that a client may be in. Immutable. */
export class NetworkSet {
  readonly #v4: RangeTable;
  readonly #v6: RangeTable;
  readonly #unix: boolean;

  constructor(parts: { readonly v4: RangeTable; readonly v6: RangeTable; readonly unix: boolean }) {
    this.#v4 = parts.v4;
    this.#v6 = parts.v6;
    this.#unix = parts.unix;
  }

  /** Ranges that are apart from each other: at most the entries that it was made of. */
  get size(): number {
    return this.#v4.size + this.#v6.size + (this.#unix ? 1 : 0);
  }

  /** Hot. `address` as clients have it: IPv4 and IPv6 literals, `unix:`. What is none of these is in no set. */
  holds(address: string): boolean {
    const family = readIp(address, 0, address.length, key);
    if (family === 0) return this.#unix && address === UNIX;
    return family === 4 ? this.#v4.holds(key) : this.#v6.holds(key);
  }
}

/** Collects entries. Bounded by its caller. */
export class NetworkSetDraft {
  readonly #v4 = new RangeDraft(1);
  readonly #v6 = new RangeDraft(4);
  #unix = false;

  get entries(): number {
    return this.#v4.count + this.#v6.count;
  }

  /**
   * Adds what `text` holds from `from` to `to`: `192.0.2.7`, `10.0.0.0/8`, `fd00::/8`, `unix:`. Host bits may be set, and are ignored.
   * Returns what is wrong with it, for people, or `null`.
   */
  add(text: string, from = 0, to = text.length): string | null {
    let end = from;
    while (end < to && text.charCodeAt(end) !== SLASH) end += 1;
    const family = readIp(text, from, end, key);
    if (family === 0) {
      if (text.slice(from, to) !== UNIX) return `"${shown(text, from, end)}" is not an IP address`;
      this.#unix = true;
      return null;
    }
    const bits = family === 4 ? 32 : 128;
    const length = end === to ? bits : prefixLength(text, end + 1, to);
    if (length > bits) return `"${shown(text, from, to)}" needs a prefix length from 0 to ${bits} after the "/"`;
    if (family === 6 && length >= 96 && isMapped(key)) {
      // No client address is ever written like this.
      return `"${shown(text, from, to)}" is IPv4 in IPv6 notation: write the IPv4 network`;
    }
    (family === 4 ? this.#v4 : this.#v6).add(key, length);
    return null;
  }

  built(): NetworkSet {
    return new NetworkSet({ v4: this.#v4.built(), v6: this.#v6.built(), unix: this.#unix });
  }
}

/** Ranges as they come, in arrays that double. */
class RangeDraft {
  readonly #words: number;
  #starts: Uint32Array;
  #ends: Uint32Array;
  count = 0;

  constructor(words: number) {
    this.#words = words;
    this.#starts = new Uint32Array(64 * words);
    this.#ends = new Uint32Array(64 * words);
  }

  add(base: Uint32Array, length: number): void {
    const at = this.count * this.#words;
    if (at === this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#ends = doubled(this.#ends);
    }
    for (let word = 0; word < this.#words; word += 1) {
      const bits = length - 32 * word;
      const hostBits = bits >= 32 ? 0 : bits <= 0 ? 0xffffffff : 0xffffffff >>> bits;
      this.#starts[at + word] = (base[word] as number) & ~hostBits;
      this.#ends[at + word] = (base[word] as number) | hostBits;
    }
    this.count += 1;
  }

  built(): RangeTable {
    const used = this.count * this.#words;
    return new RangeTable(this.#words, this.#starts.subarray(0, used), this.#ends.subarray(0, used));
  }
}

function doubled(array: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * array.length);
  larger.set(array);
  return larger;
}

/** More than any address has for what is none. */
function prefixLength(text: string, from: number, to: number): number {
  if (to === from || to > from + 3 || (to > from + 1 && text[from] === '0')) return Number.POSITIVE_INFINITY;
  for (let at = from; at < to; at += 1) if (!isDigit(text.charCodeAt(at))) return Number.POSITIVE_INFINITY;
  return Number(text.slice(from, to));
}

function isMapped(address: Uint32Array): boolean {
  return address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
}

/** For a message: what somebody has put there by mistake may be of any length, and of any bytes. */
function shown(text: string, from: number, to: number): string {
  const start = text.slice(from, Math.min(to, from + 60));
  return start.replace(/[^\x20-\x7e]/g, '?') + (to - from > 60 ? '…' : '');
}
