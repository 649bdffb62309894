/** The steps of a JSON pointer (RFC 6901 §3), or what is wrong with it. The empty pointer is the whole document. */
export function parsePointer(pointer: string): readonly string[] | { readonly message: string } {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) {
    return { message: `"${pointer}" is not a JSON pointer: it starts with "/", as in "/order/items/0" (RFC 6901)` };
  }
  if (/~(?![01])/.test(pointer)) {
    return {
      message: `"${pointer}" is not a JSON pointer: "~" is written "~0", and "/" within a name "~1" (RFC 6901)`,
    };
  }
  return pointer
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands where a pointer leads to. */
export interface Found {
  /**
   * A string's characters; a number as it is written, so that identifiers beyond 2^53 are told apart; `true`, `false`, `null`.
   * `null` for an object or an array, which are there and have no text.
   */
  readonly text: string | null;
}

/** A JSON document: its text, and what `JSON.parse` makes of it. */
export interface JsonDocument {
  readonly text: string;
  readonly value: unknown;
}

/** Where `steps` lead to, or `null` for nowhere. Of a name that is repeated the last counts, as with `JSON.parse`. */
export function lookUp(document: JsonDocument, steps: readonly string[]): Found | null {
  let value = document.value;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return null;
    if (Array.isArray(value) && !/^(?:0|[1-9][0-9]{0,15})$/.test(step)) return null;
    if (!Object.hasOwn(value, step)) return null;
    value = (value as Record<string, unknown>)[step];
  }
  if (typeof value === 'string') return { text: value };
  if (typeof value === 'number') return { text: numberAt(document.text, steps) };
  return { text: typeof value === 'object' && value !== null ? null : String(value) };
}

/** The number that `steps` lead to, as it is written. `text` is JSON, and they do lead to a number. Linear in the text. */
function numberAt(text: string, steps: readonly string[]): string {
  let at = skipBlanks(text, 0);
  for (const step of steps) at = text[at] === '{' ? memberAt(text, at, step) : elementAt(text, at, Number(step));
  return text.slice(at, endOfScalar(text, at));
}

/** Where the value of the last member of that name begins. */
function memberAt(text: string, object: number, name: string): number {
  let found = object;
  let at = skipBlanks(text, object + 1);
  while (text[at] !== '}') {
    const end = endOfString(text, at);
    const raw = text.slice(at + 1, end - 1);
    const value = skipBlanks(text, skipBlanks(text, end) + 1);
    if (raw === name || (raw.includes('\\') && JSON.parse(text.slice(at, end)) === name)) found = value;
    at = afterComma(text, endOfValue(text, value));
  }
  return found;
}

function elementAt(text: string, array: number, index: number): number {
  let at = skipBlanks(text, array + 1);
  for (let i = 0; i < index; i += 1) at = afterComma(text, endOfValue(text, at));
  return at;
}

function afterComma(text: string, end: number): number {
  const at = skipBlanks(text, end);
  return text[at] === ',' ? skipBlanks(text, at + 1) : at;
}

/** By counting, not by recursion: the depth is the client's. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      at += 1;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
      at += 1;
    } else if (depth === 0) return endOfScalar(text, at);
    else at += 1;
    if (depth === 0) return at;
  }
}

/** Just after the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at + 1;
}

function endOfScalar(text: string, start: number): number {
  let at = start;
  while (at < text.length && !/[\s,\]}]/.test(text[at] as string)) at += 1;
  return at;
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
