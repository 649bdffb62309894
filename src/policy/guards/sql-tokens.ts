import { isDigit } from '../../http/octets.ts';
import { isBlank, isLetter, isWord } from './characters.ts';

/** What SQL is made of: `word`, `number`, `'`, `"` and `` ` ``, `--` and `#` that begin a comment, and signs. */
export interface SqlToken {
  readonly kind: 'word' | 'number' | 'quote' | 'comment' | 'sign';
  /** A quote stands alone, whatever it may open: whoever breaks out of a text has closed one that is not here. */
  readonly text: string;
  /** Where it ends. */
  readonly end: number;
}

/**
 * Takes text in lower case apart, as a reader of SQL would: comments between two signs are blanks, but for what MySQL runs of them
 * (`/*!50000 …`). Linear.
 */
export function sqlTokens(text: string): readonly SqlToken[] {
  const tokens: SqlToken[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isBlank(code)) {
      at += 1;
      continue;
    }
    const behind = afterComment(text, at);
    if (behind !== at) {
      at = behind;
      continue;
    }
    const token = tokenAt(text, at, code);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function afterComment(text: string, at: number): number {
  if (text.startsWith('*/', at)) return at + 2;
  if (!text.startsWith('/*', at)) return at;
  if (text[at + 2] !== '!') {
    const end = text.indexOf('*/', at + 2);
    return end === -1 ? text.length : end + 2;
  }
  let end = at + 3;
  while (isDigit(text.charCodeAt(end))) end += 1;
  return end;
}

function tokenAt(text: string, at: number, code: number): SqlToken {
  let end = at + 1;
  if (isLetter(code) || code === 0x5f) {
    while (end < text.length && isWord(text.charCodeAt(end))) end += 1;
    return { kind: 'word', text: text.slice(at, end), end };
  }
  if (isDigit(code)) {
    while (end < text.length && isDigit(text.charCodeAt(end))) end += 1;
    return { kind: 'number', text: text.slice(at, end), end };
  }
  const character = text[at] as string;
  if (character === "'" || character === '"' || character === '`') return { kind: 'quote', text: character, end };
  if (character === '#') return { kind: 'comment', text: character, end };
  const two = text.slice(at, at + 2);
  if (two === '--') return { kind: 'comment', text: two, end: at + 2 };
  // As a word, so that rules need know but one way to say it.
  if (two === '||') return { kind: 'word', text: 'or', end: at + 2 };
  if (two === '&&') return { kind: 'word', text: 'and', end: at + 2 };
  return { kind: 'sign', text: character, end };
}
