import { hexValue } from '../../http/octets.ts';

const PERCENT = 0x25;
const PLUS = 0x2b;

/** Octets with their escapes decoded, once. What is no escape stays. Returns `text` itself when nothing changes. Linear. */
export function decoded(text: string, plusIsSpace: boolean): string {
  let out = '';
  let copied = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    let piece: string;
    let end = at + 1;
    if (code === PLUS && plusIsSpace) piece = ' ';
    else if (code === PERCENT) {
      const high = hexValue(text.charCodeAt(at + 1));
      const low = hexValue(text.charCodeAt(at + 2));
      if (high === -1 || low === -1) continue;
      piece = String.fromCharCode(high * 16 + low);
      end = at + 3;
    } else continue;
    out += text.slice(copied, at) + piece;
    copied = end;
    at = end - 1;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** As rules compare it: lower case, and what lax decoders of UTF-8 take for a dot or a slash as such (`%C0%AE`, `%C0%AF`). */
export function comparable(text: string): string {
  const lower = text.toLowerCase();
  // À in octets; nothing that is UTF-8 holds it.
  return lower.includes('\xe0\xae') || lower.includes('\xe0\xaf') || text.includes('\xc0')
    ? text.replaceAll('\xc0\xae', '.').replaceAll('\xc0\xaf', '/').toLowerCase()
    : lower;
}

/** All that a piece may mean to its reader: decoded once, and a second time where that changes something. */
export function formsOf(text: string, plusIsSpace: boolean): readonly string[] {
  const once = decoded(text, plusIsSpace);
  const twice = decoded(once, false);
  return twice === once ? [comparable(once)] : [comparable(once), comparable(twice)];
}
