import { FilterError } from './filter-error.ts';

export const OPERATORS = ['!~', '!=', '<=', '>=', '==', '=', '<', '>', '~'] as const;
export type Operator = Exclude<(typeof OPERATORS)[number], '=='>;

/** A piece of a filter; `at` counts characters from 0. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly quoted: boolean; readonly at: number }
  | { readonly kind: 'operator'; readonly operator: Operator; readonly at: number }
  | { readonly kind: 'open' | 'close' | 'comma' | 'end'; readonly at: number }
  | { readonly kind: 'and' | 'or' | 'not' | 'in'; readonly at: number };

const BLANK = /\s/;
/** What ends a word that is not quoted. A word after `~` may hold all but blanks, and parentheses in pairs. */
const ENDS_WORD = /[\s()=<>~!,&|'"]/;
const WORDS = new Set(['and', 'or', 'not', 'in']);

/**
 * Splits a filter. `&&`, `||` and `!` are `and`, `or` and `not`; what stands in quotes is a word, with `\` before a quote or another `\`.
 * @throws FilterError
 */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (BLANK.test(text[at] as string)) {
      at += 1;
      continue;
    }
    const before = tokens.at(-1);
    const isPattern = before?.kind === 'operator' && (before.operator === '~' || before.operator === '!~');
    const [token, next] = isPattern ? patternAt(text, at) : tokenAt(text, at);
    tokens.push(token);
    at = next;
  }
  tokens.push({ kind: 'end', at: text.length });
  return tokens;
}

type Found = readonly [token: Token, next: number];

function tokenAt(text: string, at: number): Found {
  const character = text[at] as string;
  if (character === '(') return [{ kind: 'open', at }, at + 1];
  if (character === ')') return [{ kind: 'close', at }, at + 1];
  if (character === ',') return [{ kind: 'comma', at }, at + 1];
  if (character === '"' || character === "'") return quotedAt(text, at, character);
  if (text.startsWith('&&', at)) return [{ kind: 'and', at }, at + 2];
  if (text.startsWith('||', at)) return [{ kind: 'or', at }, at + 2];
  const operator = OPERATORS.find((each) => text.startsWith(each, at));
  if (operator !== undefined) {
    return [{ kind: 'operator', operator: operator === '==' ? '=' : operator, at }, at + operator.length];
  }
  if (character === '!') return [{ kind: 'not', at }, at + 1];
  if (character === '&' || character === '|') {
    throw new FilterError(`“${character}” means nothing: write “${character}${character}”`, at);
  }
  return wordAt(text, at);
}

function wordAt(text: string, at: number): Found {
  let end = at;
  while (end < text.length && !ENDS_WORD.test(text[end] as string)) end += 1;
  const word = text.slice(at, end);
  const lower = word.toLowerCase();
  if (WORDS.has(lower)) return [{ kind: lower as 'and', at }, end];
  return [{ kind: 'word', text: word, quoted: false, at }, end];
}

/** Up to a blank, or to a parenthesis that none before it in the expression has opened. */
function patternAt(text: string, at: number): Found {
  const first = text[at] as string;
  if (first === '"' || first === "'") return quotedAt(text, at, first);
  let depth = 0;
  let end = at;
  for (; end < text.length && !BLANK.test(text[end] as string); end += 1) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === '(') depth += 1;
    else if (text[end] === ')') {
      if (depth === 0) break;
      depth -= 1;
    }
  }
  end = Math.min(end, text.length);
  if (end === at) return tokenAt(text, at);
  return [{ kind: 'word', text: text.slice(at, end), quoted: true, at }, end];
}

function quotedAt(text: string, at: number, quote: string): Found {
  let word = '';
  for (let i = at + 1; i < text.length; i += 1) {
    const character = text[i] as string;
    if (character === quote) return [{ kind: 'word', text: word, quoted: true, at }, i + 1];
    const next = text[i + 1];
    // Only these: a regular expression has backslashes of its own.
    if (character === '\\' && (next === quote || next === '\\')) {
      word += next;
      i += 1;
    } else word += character;
  }
  throw new FilterError(`This ${quote} is never closed`, at);
}
