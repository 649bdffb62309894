/** Classes of octets, as one look-up each, that say which rules are worth asking. */
export const QUOTE = 1;
export const ANGLE = 2;
export const SHELL = 4;
export const BRACE = 8;
export const SLASH = 16;
export const COLON = 32;
/** Parentheses and semicolons, which SQL has. */
export const SQL_SIGN = 64;
/** NUL, CR and LF. */
export const BREAK = 128;

const classes = new Uint8Array(256);

for (const [characters, bit] of [
  ['\'"`', QUOTE],
  ['<', ANGLE],
  [';|&`$\n', SHELL],
  ['{', BRACE],
  ['/\\', SLASH],
  [':', COLON],
  ['();', SQL_SIGN],
  ['\0\r\n', BREAK],
] as const) {
  for (let i = 0; i < characters.length; i += 1) {
    const code = characters.charCodeAt(i);
    classes[code] = (classes[code] as number) | bit;
  }
}

/** Which classes `text` has something of. */
export function classesIn(text: string): number {
  let found = 0;
  for (let i = 0; i < text.length; i += 1) found |= classes[text.charCodeAt(i) & 0xff] as number;
  return found;
}

/** Space, tab, line ends and the like, and the space of Latin 1 that does not break. */
export function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0;
}

/** A letter of ASCII in lower case. */
export function isLetter(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

/** What a word of SQL or a shell may hold: lower-case letters, digits, `_`. */
export function isWord(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39) || code === 0x5f;
}

/** The first place from `at` on that is no blank. */
export function skipBlanks(text: string, at: number): number {
  let place = at;
  while (place < text.length && isBlank(text.charCodeAt(place))) place += 1;
  return place;
}

/** Is one of `parts` in `text`? Linear: each is looked for once. */
export function holdsOneOf(text: string, parts: readonly string[]): boolean {
  return parts.some((part) => text.includes(part));
}

/** Does one of `parts` stand at `at`? */
export function oneStandsAt(text: string, at: number, parts: readonly string[]): boolean {
  return parts.some((part) => text.startsWith(part, at));
}
