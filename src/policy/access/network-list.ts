import { isOws } from '../../http/octets.ts';
import { type NetworkSet, NetworkSetDraft } from './network-set.ts';

/** Entries of one file. So many take a quarter to half a second to read, and 6 MB of memory for IPv4, 18 MB for IPv6. */
const MAX_ENTRIES = 500_000;

const HASH = 0x23;
const SEMICOLON = 0x3b;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Reads a list of addresses and networks, one a line. `#` and `;` begin a comment, at the begin of a line or behind an entry; empty lines
 * say nothing. Throws an `Error` that names the first line that holds anything else, or more than half a million entries. Linear: the
 * event loop waits 30 ms for 100 000 IPv4 networks, 50 ms for as many of IPv6 (`bench/access.ts`).
 */
export function parseNetworkList(content: Buffer): NetworkSet {
  const draft = new NetworkSetDraft();
  // Octets: nothing but ASCII means anything here.
  const text = content.toString('latin1');
  let line = 1;
  let at = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
  while (at < text.length) {
    let end = text.indexOf('\n', at);
    if (end === -1) end = text.length;
    const problem = addLine(draft, text, at, end);
    if (problem !== null) throw new Error(`line ${line}: ${problem}`);
    if (draft.entries > MAX_ENTRIES) throw new Error(`line ${line}: more than ${MAX_ENTRIES} entries`);
    line += 1;
    at = end + 1;
  }
  return draft.built();
}

function addLine(draft: NetworkSetDraft, text: string, from: number, to: number): string | null {
  let start = from;
  while (start < to && isBlank(text.charCodeAt(start))) start += 1;
  let end = start;
  while (end < to && !isComment(text.charCodeAt(end))) end += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return start === end ? null : draft.add(text, start, end);
}

function isBlank(code: number): boolean {
  return isOws(code) || code === CARRIAGE_RETURN || code === LINE_FEED;
}

function isComment(code: number): boolean {
  return code === HASH || code === SEMICOLON;
}
