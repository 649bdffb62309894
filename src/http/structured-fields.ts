import { hexValue, isDigit, isOws, isTchar } from './octets.ts';

/** The value of an item (RFC 9651 §3.3). `bytes` and `display` are checked for their syntax and not decoded: nobody here reads them. */
export type BareItem =
  | { readonly type: 'integer' | 'decimal' | 'date'; readonly value: number }
  | { readonly type: 'string' | 'token' | 'bytes' | 'display'; readonly value: string }
  | { readonly type: 'boolean'; readonly value: boolean };

/** A member of a dictionary: one item or an inner list. Parameters are checked for their syntax and dropped. */
export type DictionaryMember = BareItem | readonly BareItem[];

/**
 * Parses a Dictionary whose field lines were combined by `, ` (RFC 9651 §4.2.2): strictly, so that one wrong character makes the
 * whole field `null`, as the RFC demands. Of repeated keys the last counts. An empty field is an empty dictionary.
 */
export function parseDictionary(combined: string): ReadonlyMap<string, DictionaryMember> | null {
  const input: Input = { text: combined, at: 0 };
  skipSpaces(input);
  const members = new Map<string, DictionaryMember>();
  while (input.at < combined.length) {
    const key = parseKey(input);
    if (key === null) return null;
    const member = take(input, '=') ? parseMember(input) : TRUE;
    if (member === null || !skipParameters(input)) return null;
    // A key that comes again takes the last place (§3.2).
    members.delete(key);
    members.set(key, member);
    const isLast = skipToNextMember(input);
    if (isLast === null) return null;
    if (isLast) break;
  }
  return members;
}

interface Input {
  readonly text: string;
  at: number;
}

const TRUE: BareItem = Object.freeze({ type: 'boolean', value: true });

/** False: there is another member. `null`: neither is there a member nor an end. */
function skipToNextMember(input: Input): boolean | null {
  const spacesFrom = input.at;
  while (isOws(input.text.charCodeAt(input.at))) input.at += 1;
  if (input.at === input.text.length) return !input.text.slice(spacesFrom).includes('\t') || null;
  if (!take(input, ',')) return null;
  while (isOws(input.text.charCodeAt(input.at))) input.at += 1;
  return input.at === input.text.length ? null : false;
}

function take(input: Input, character: string): boolean {
  if (input.text[input.at] !== character) return false;
  input.at += 1;
  return true;
}

function skipSpaces(input: Input): void {
  while (input.text[input.at] === ' ') input.at += 1;
}

/** Matches a sticky expression where the input is, and moves behind it. */
function match(input: Input, expression: RegExp): string | null {
  expression.lastIndex = input.at;
  const found = expression.exec(input.text);
  if (found === null) return null;
  input.at = expression.lastIndex;
  return found[0];
}

function parseKey(input: Input): string | null {
  return match(input, /[a-z*][a-z0-9_.*-]*/y);
}

function parseMember(input: Input): DictionaryMember | null {
  return input.text[input.at] === '(' ? parseInnerList(input) : parseBareItem(input);
}

function parseInnerList(input: Input): readonly BareItem[] | null {
  input.at += 1;
  const items: BareItem[] = [];
  for (;;) {
    skipSpaces(input);
    if (take(input, ')')) return items;
    const item = parseBareItem(input);
    if (item === null || !skipParameters(input)) return null;
    items.push(item);
    const next = input.text[input.at];
    if (next !== ' ' && next !== ')') return null;
  }
}

/** False for parameters that are none. */
function skipParameters(input: Input): boolean {
  while (take(input, ';')) {
    skipSpaces(input);
    if (parseKey(input) === null) return false;
    if (take(input, '=') && parseBareItem(input) === null) return false;
  }
  return true;
}

function parseBareItem(input: Input): BareItem | null {
  const first = input.text.charCodeAt(input.at);
  if (isDigit(first) || first === MINUS) return parseNumber(input);
  switch (input.text[input.at]) {
    case '"':
      return parseString(input);
    case ':':
      return parsed('bytes', match(input, /:[A-Za-z0-9+/=]*:/y));
    case '?':
      return parseBoolean(input);
    case '@':
      return parseDate(input);
    case '%':
      return parseDisplayString(input);
    default:
      return parseToken(input);
  }
}

const MINUS = 0x2d;

function parsed(type: 'string' | 'token' | 'bytes' | 'display', value: string | null): BareItem | null {
  return value === null ? null : { type, value };
}

/** §4.2.4: up to 15 digits, or up to 12 with one to three behind a point. */
function parseNumber(input: Input): BareItem | null {
  const text = match(input, /-?[0-9]+(?:\.[0-9]*)?/y);
  if (text === null) return null;
  if (/^-?[0-9]{1,15}$/.test(text)) return { type: 'integer', value: Number(text) };
  return /^-?[0-9]{1,12}\.[0-9]{1,3}$/.test(text) ? { type: 'decimal', value: Number(text) } : null;
}

function parseDate(input: Input): BareItem | null {
  input.at += 1;
  const number = parseNumber(input);
  return number?.type === 'integer' ? { type: 'date', value: number.value } : null;
}

function parseBoolean(input: Input): BareItem | null {
  const text = match(input, /\?[01]/y);
  return text === null ? null : { type: 'boolean', value: text === '?1' };
}

function parseString(input: Input): BareItem | null {
  const quoted = match(input, /"(?:[ !#-[\]-~]|\\["\\])*"/y);
  return quoted === null ? null : { type: 'string', value: quoted.slice(1, -1).replace(/\\(.)/g, '$1') };
}

function parseToken(input: Input): BareItem | null {
  const start = input.at;
  if (!/^[A-Za-z*]/.test(input.text.slice(start, start + 1))) return null;
  while (isTokenCharacter(input.text.charCodeAt(input.at))) input.at += 1;
  return { type: 'token', value: input.text.slice(start, input.at) };
}

const COLON = 0x3a;
const SLASH = 0x2f;

function isTokenCharacter(code: number): boolean {
  return isTchar(code) || code === COLON || code === SLASH;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** §4.2.10: escapes in lower case, which make well-formed UTF-8. */
function parseDisplayString(input: Input): BareItem | null {
  const quoted = match(input, /%"(?:[ !#$&-~]|%[0-9a-f]{2})*"/y);
  if (quoted === null) return null;
  const text = quoted.slice(2, -1);
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] !== '%') {
      bytes.push(text.charCodeAt(i));
      continue;
    }
    bytes.push(hexValue(text.charCodeAt(i + 1)) * 16 + hexValue(text.charCodeAt(i + 2)));
    i += 2;
  }
  try {
    return { type: 'display', value: utf8.decode(Uint8Array.from(bytes)) };
  } catch {
    // Bytes that are no UTF-8.
    return null;
  }
}
