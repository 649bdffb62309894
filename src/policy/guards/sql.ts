import { isDigit } from '../../http/octets.ts';
import { holdsOneOf, isBlank, QUOTE, SQL_SIGN } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';
import { type SqlToken, sqlTokens } from './sql-tokens.ts';

const UNION = bitOf('sql-union');
const TAUTOLOGY = bitOf('sql-tautology');
const COMMENT = bitOf('sql-comment');
const STACKED = bitOf('sql-stacked');
const FUNCTION = bitOf('sql-function');

/** Columns of a SELECT that are looked at for its FROM. */
const MOST_COLUMNS = 64;

/** What may stand behind a semicolon, and what behind that: words alone are prose. */
const STATEMENTS: Readonly<Record<string, readonly string[]>> = {
  drop: ['table', 'database', 'schema', 'view', 'index', 'user', 'procedure', 'function'],
  delete: ['from'],
  insert: ['into'],
  truncate: ['table'],
  alter: ['table', 'user', 'database'],
  create: ['table', 'user', 'database', 'procedure', 'function'],
  exec: ['xp_cmdshell', 'sp_configure', 'master', '('],
  execute: ['xp_cmdshell', 'sp_configure', 'master', 'immediate'],
  waitfor: ['delay', 'time'],
  declare: ['@'],
};

/** Nobody calls these but to read what is not theirs, or to take time. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  'pg_sleep',
  'extractvalue',
  'updatexml',
  'load_file',
  'xp_cmdshell',
  'xp_dirtree',
  'receive_message',
]);

/** Names that programs have too: only where a condition or a list of SQL goes on. */
const TIMED: ReadonlySet<string> = new Set(['sleep', 'benchmark']);
const BEFORE_TIMED: ReadonlySet<string> = new Set(['or', 'and', 'xor', 'select', '(', ',', "'", '"', '-', '+', '*']);

const PROBED: ReadonlySet<string> = new Set([
  'exists',
  'select',
  'ascii',
  'substring',
  'substr',
  'length',
  'if',
  'case',
]);
const CONNECTIVES: ReadonlySet<string> = new Set(['or', 'and', 'xor']);
const COMPARISONS: ReadonlySet<string> = new Set([
  '=',
  '<',
  '>',
  '!',
  'like',
  'rlike',
  'regexp',
  'between',
  'in',
  'is',
]);

/** Rules of SQL that text in lower case breaks. `classes`: what `classesIn` says of it. */
export function sqlIn(text: string, classes: number): Findings {
  if (!mayBeSql(text, classes)) return 0;
  const tokens = sqlTokens(text);
  let found = leadingTautology(tokens) ? TAUTOLOGY : 0;
  const odd = { "'": isOdd(tokens, "'"), '"': isOdd(tokens, '"') };
  for (let at = 0; at < tokens.length; at += 1) {
    const { kind, text: token } = tokens[at] as SqlToken;
    if (kind === 'quote') {
      if (isTautology(tokens, skip(tokens, at + 1, ')'))) found |= TAUTOLOGY;
      if ((token === "'" || token === '"') && odd[token] && isCutOff(text, tokens, at)) found |= COMMENT;
    } else if (token === ';') {
      if (isStatement(tokens, at + 1)) found |= STACKED;
    } else if (kind === 'word') {
      if (token === 'union' && isUnion(tokens, at + 1)) found |= UNION;
      else if (isCall(tokens, at)) found |= FUNCTION;
    }
  }
  return found;
}

/** Keeps most text from being taken apart. */
function mayBeSql(text: string, classes: number): boolean {
  if ((classes & (QUOTE | SQL_SIGN)) !== 0) return true;
  if (isDigit(text.charCodeAt(0))) return true;
  return holdsOneOf(text, ['union', 'into outfile', 'into dumpfile', 'information_schema']);
}

function isOdd(tokens: readonly SqlToken[], quote: string): boolean {
  let count = 0;
  for (const token of tokens) if (token.kind === 'quote' && token.text === quote) count += 1;
  return count % 2 === 1;
}

function textAt(tokens: readonly SqlToken[], at: number): string {
  return tokens[at]?.text ?? '';
}

/** The first place from `from` on that is not this sign; a few of them at most. */
function skip(tokens: readonly SqlToken[], from: number, sign: string): number {
  let at = from;
  while (at < from + 8 && textAt(tokens, at) === sign) at += 1;
  return at;
}

/** `or 1=1`, `or 'a'='a`, `and exists (`: a condition that goes on behind a quote. */
function isTautology(tokens: readonly SqlToken[], from: number): boolean {
  if (!CONNECTIVES.has(textAt(tokens, from))) return false;
  let at = skip(tokens, from + 1, '(');
  if (textAt(tokens, at) === 'not') at = skip(tokens, at + 1, '(');
  const [first, second, third] = [tokens[at], tokens[at + 1], tokens[at + 2]];
  if (first === undefined) return false;
  if (first.kind === 'number') return isComparison(second) || second?.kind === 'comment';
  if (first.kind === 'quote') {
    const close = second?.kind === 'quote' ? at + 1 : third?.kind === 'quote' ? at + 2 : -1;
    return close !== -1 && isComparison(tokens[close + 1]) && tokens[close + 2]?.kind === 'quote';
  }
  if (first.kind !== 'word') return false;
  if (second?.text === '=') return third?.text === first.text && third.kind === 'word';
  if (first.text === 'true') return second?.kind === 'comment';
  return PROBED.has(first.text) && (second?.text === '(' || first.text === 'case');
}

function isComparison(token: SqlToken | undefined): boolean {
  return token !== undefined && COMPARISONS.has(token.text);
}

/** `17 or 1=1`: where the number of a column was expected, so that there is no quote to break out of. */
function leadingTautology(tokens: readonly SqlToken[]): boolean {
  if (tokens[0]?.kind !== 'number') return false;
  const at = skip(tokens, 1, ')');
  if (!CONNECTIVES.has(textAt(tokens, at))) return false;
  const first = skip(tokens, at + 1, '(');
  return (
    tokens[first]?.kind === 'number' &&
    textAt(tokens, first + 1) === '=' &&
    textAt(tokens, first + 2) === textAt(tokens, first)
  );
}

/** `admin'--`: the quote closes a text that is not here, and the comment takes away all that would follow. */
function isCutOff(text: string, tokens: readonly SqlToken[], quote: number): boolean {
  const comment = tokens[skip(tokens, skip(tokens, quote + 1, ')'), ';')];
  if (comment?.kind !== 'comment' || (comment.text === '#' && textAt(tokens, quote) === '"')) return false;
  for (let at = comment.end; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isBlank(code) && code !== 0x2d && code !== 0x2b) return false;
  }
  return true;
}

function isStatement(tokens: readonly SqlToken[], at: number): boolean {
  const verb = textAt(tokens, at);
  const next = tokens[at + 1];
  if (verb === 'shutdown') return next === undefined ? tokens[at - 2]?.kind === 'quote' : next.kind === 'comment';
  if (verb === 'update') return next?.kind === 'word' && textAt(tokens, at + 2) === 'set';
  return Object.hasOwn(STATEMENTS, verb) && next !== undefined && STATEMENTS[verb]?.includes(next.text) === true;
}

/** `union all select 1`, `union select name from users`: what a union of workers selects is neither. */
function isUnion(tokens: readonly SqlToken[], from: number): boolean {
  let at = from;
  if (['all', 'distinct', 'distinctrow'].includes(textAt(tokens, at))) at += 1;
  at = skip(tokens, at, '(');
  if (textAt(tokens, at) !== 'select') return false;
  const first = tokens[at + 1];
  if (first === undefined) return false;
  if (first.kind === 'number' || first.kind === 'quote') return true;
  if (['null', '*', '@', '('].includes(first.text) || textAt(tokens, at + 2) === '(') return true;
  for (let i = at + 1; i < at + MOST_COLUMNS; i += 1) {
    const token = tokens[i];
    if (token === undefined) return false;
    if (token.text === 'from') return tokens[i + 1]?.kind === 'word';
    if (token.kind !== 'number' && token.text !== ',' && token.text !== '.' && !isColumn(tokens, i)) return false;
  }
  return false;
}

/** A word, and not the second of two. */
function isColumn(tokens: readonly SqlToken[], at: number): boolean {
  const before = textAt(tokens, at - 1);
  return tokens[at]?.kind === 'word' && (before === 'select' || before === ',' || before === '.');
}

function isCall(tokens: readonly SqlToken[], at: number): boolean {
  const name = textAt(tokens, at);
  const next = textAt(tokens, at + 1);
  if (name === 'into') return next === 'outfile' || next === 'dumpfile';
  if (name === 'information_schema') return next === '.';
  if (next !== '(') return false;
  if (FUNCTIONS.has(name)) return true;
  return TIMED.has(name) && BEFORE_TIMED.has(textAt(tokens, at - 1)) && tokens[at + 2]?.kind === 'number';
}
