import { oneStandsAt, skipBlanks } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';

const NULL_BYTE = bitOf('null-byte');
const HEADER_INJECTION = bitOf('header-injection');

/** What a response begins with that somebody else has written. */
const FIELDS = [
  'set-cookie:',
  'location:',
  'content-type:',
  'content-length:',
  'transfer-encoding:',
  'http/1.',
] as const;

/** Rules that decoded text with a NUL, CR or LF breaks. Linear. */
export function breaksIn(text: string): Findings {
  return (text.includes('\0') ? NULL_BYTE : 0) | (beginsField(text) ? HEADER_INJECTION : 0);
}

function beginsField(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '\r' && text[at] !== '\n') continue;
    const start = skipBlanks(text, at);
    if (oneStandsAt(text, start, FIELDS)) return true;
    at = start - 1;
  }
  return false;
}
