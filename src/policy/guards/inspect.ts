import type { RequestHead } from '../../exchange/exchange.ts';
import { isNamed } from '../../http/headers.ts';
import { ANGLE, BRACE, BREAK, COLON, classesIn, SHELL, SLASH } from './characters.ts';
import { commandsIn } from './commands.ts';
import { expressionsIn } from './expressions.ts';
import { filesIn, pathIn } from './files.ts';
import { comparable, formsOf } from './forms.ts';
import { breaksIn } from './line-breaks.ts';
import { markupIn, scriptUriIn } from './markup.ts';
import type { Findings } from './rule-ids.ts';
import { scannerIn } from './scanners.ts';
import { sqlIn } from './sql.ts';

/** Octets of the path, of the query and of each field that are looked at: four times what a listener takes of a whole head unless told otherwise. */
const MOST_OCTETS = 65_536;

/** Fields that have a grammar with quotes and semicolons of its own, by the begin of their names: only expressions are looked for there. */
const STRUCTURED = ['accept', 'authorization', 'content-', 'if-', 'proxy-authorization', 'sec-'] as const;

const DOT = 0x2e;

const plain = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~=&,@.') {
  plain[character.charCodeAt(0)] = 1;
}

/** The rules that a request breaks. Linear in its head; HOT where it is used, and most heads are plain text that costs one look at each octet. */
export function inspect(request: RequestHead): Findings {
  const { target } = request;
  const question = target.indexOf('?');
  const path = target.slice(0, Math.min(question === -1 ? target.length : question, MOST_OCTETS));
  let found = inPath(path);
  if (question !== -1) found |= inQuery(target.slice(question + 1, question + 1 + MOST_OCTETS));
  const { headers } = request;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1] as string;
    if (!isPlain(value)) found |= inField(headers[i] as string, value.slice(0, MOST_OCTETS));
    // A name is enough.
    else if (isNamed(headers[i] as string, 'user-agent')) found |= scannerIn(value.toLowerCase());
  }
  return found;
}

/** Nothing that any rule but that of scanners could be broken by. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || plain[code] === 0) return false;
    if (code === DOT && text.charCodeAt(i + 1) === DOT) return false;
  }
  return true;
}

function inPath(path: string): Findings {
  const sent = comparable(path);
  let found = 0;
  for (const form of formsOf(path, false)) {
    found |= pathIn(sent, form);
    // Segment by segment there is nothing in a plain path.
    if (!isPlain(form.replaceAll('/', ''))) found |= inText(form);
  }
  return found;
}

function inQuery(query: string): Findings {
  if (isPlain(query)) return 0;
  let found = 0;
  for (const parameter of query.split('&')) {
    const equals = parameter.indexOf('=');
    if (equals === -1) found |= inPiece(parameter);
    else found |= inPiece(parameter.slice(0, equals)) | inPiece(parameter.slice(equals + 1));
  }
  return found;
}

function inPiece(piece: string): Findings {
  if (isPlain(piece)) return 0;
  let found = 0;
  for (const form of formsOf(piece, true)) found |= inText(form);
  return found;
}

function inField(name: string, value: string): Findings {
  const lower = comparable(value);
  let found = isNamed(name, 'user-agent') ? scannerIn(lower) : 0;
  const isStructured = STRUCTURED.some((begin) => name.toLowerCase().startsWith(begin));
  if (isStructured) return (classesIn(lower) & BRACE) === 0 ? found : found | expressionsIn(lower);
  found |= inText(lower);
  if (value.includes('%')) for (const form of formsOf(value, false)) if (form !== lower) found |= inText(form);
  return found;
}

/** Rules for text in lower case, wherever it comes from. */
function inText(text: string): Findings {
  const classes = classesIn(text);
  let found = sqlIn(text, classes);
  if ((classes & BREAK) !== 0) found |= breaksIn(text);
  if ((classes & SLASH) !== 0) found |= filesIn(text);
  if ((classes & ANGLE) !== 0) found |= markupIn(text);
  if ((classes & COLON) !== 0) found |= scriptUriIn(text);
  if ((classes & SHELL) !== 0 || text.includes('() {')) found |= commandsIn(text);
  if ((classes & (BRACE | ANGLE)) !== 0) found |= expressionsIn(text);
  return found;
}
