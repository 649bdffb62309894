import { isOws, isTchar } from './octets.ts';

/** A media type (RFC 9110 §8.3.1). */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly essence: string;
  /** Name in lower case, value as it stands, quotes taken off; of repeated names the first counts, as in browsers. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** The value of one `Content-Type` line; `null` for what is none. Linear in its length; never throws. */
export function parseMediaType(text: string): MediaType | null {
  const input = { text, at: 0 };
  skipOws(input);
  const type = token(input);
  if (type === '' || text[input.at] !== '/') return null;
  input.at += 1;
  const subtype = token(input);
  if (subtype === '') return null;
  const parameters = parametersOf(input);
  return parameters === null ? null : { essence: `${type}/${subtype}`.toLowerCase(), parameters };
}

/** The parameters of a field that has them behind one word, as `form-data; name="a"` has; `null` for what has not. */
export function parametersBehind(word: string, text: string): ReadonlyMap<string, string> | null {
  const input = { text, at: 0 };
  skipOws(input);
  return token(input).toLowerCase() === word ? parametersOf(input) : null;
}

interface Input {
  readonly text: string;
  at: number;
}

function parametersOf(input: Input): ReadonlyMap<string, string> | null {
  const { text } = input;
  const parameters = new Map<string, string>();
  for (;;) {
    skipOws(input);
    if (input.at === text.length) return parameters;
    if (text[input.at] !== ';') return null;
    input.at += 1;
    skipOws(input);
    // RFC 9110 §5.6.6 lets a parameter be empty: `a/b;` and `a/b;;c=d`.
    const name = token(input).toLowerCase();
    if (name === '') continue;
    if (text[input.at] !== '=') return null;
    input.at += 1;
    const value = text[input.at] === '"' ? quotedString(input) : token(input) || null;
    if (value === null) return null;
    if (!parameters.has(name)) parameters.set(name, value);
  }
}

function token(input: Input): string {
  const start = input.at;
  while (input.at < input.text.length && isTchar(input.text.charCodeAt(input.at))) input.at += 1;
  return input.text.slice(start, input.at);
}

/** RFC 9110 §5.6.4; `null` without its end. */
function quotedString(input: Input): string | null {
  const { text } = input;
  let value = '';
  for (let i = input.at + 1; i < text.length; i += 1) {
    if (text[i] === '"') {
      input.at = i + 1;
      return value;
    }
    if (text[i] === '\\') i += 1;
    value += text[i] ?? '';
  }
  return null;
}

function skipOws(input: Input): void {
  while (isOws(input.text.charCodeAt(input.at))) input.at += 1;
}
