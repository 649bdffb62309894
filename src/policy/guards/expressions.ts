import { isDigit } from '../../http/octets.ts';
import { holdsOneOf, isBlank } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';

const TEMPLATE = bitOf('template');
const JNDI = bitOf('jndi');

/** Lookups of Log4j that fetch, read, or spell `jndi` in pieces. */
const LOOKUPS = [
  '${jndi:',
  '${${',
  '${lower:',
  '${upper:',
  '${::-',
  '${env:',
  '${sys:',
  '${java:',
  '${ctx:',
  '${main:',
  '${script:',
  '${dns:',
  '${base64:',
] as const;

const OPENERS = ['{{', '${', '#{', '%{', '*{', '{%', '<%='] as const;

/** What expressions reach out of their template by. */
const REACHING = [
  '__class__',
  '__globals__',
  '__import__',
  '__mro__',
  '__subclasses__',
  '__builtins__',
  '.getclass(',
  'getruntime(',
  'java.lang.',
  'processbuilder',
  't(java',
  'freemarker.template',
  'constructor.constructor',
  'child_process',
  '_memberaccess',
  '@ognl',
  'ognl.',
  '|attr(',
  'self.env',
  'popen(',
] as const;

/** Factors of a product that tells whether somebody calculates. */
const LONGEST_FACTOR = 12;

/** Rules of templates and of Log4j that text in lower case breaks, which has a brace or `<%`. Linear. */
export function expressionsIn(text: string): Findings {
  const jndi = text.includes('${') && holdsOneOf(text, LOOKUPS) ? JNDI : 0;
  const opener = firstOf(text, OPENERS);
  if (opener === -1) return jndi;
  const reaches = REACHING.some((part) => text.includes(part, opener));
  return jndi | (reaches || calculates(text) ? TEMPLATE : 0);
}

function firstOf(text: string, parts: readonly string[]): number {
  const places = parts.map((part) => text.indexOf(part)).filter((place) => place !== -1);
  return places.length === 0 ? -1 : Math.min(...places);
}

/** `{{7*7}}`, `${7*7}`, `<%= 7*7 %>`: a product and nothing else between the signs of a template. */
function calculates(text: string): boolean {
  for (let at = text.indexOf('*'); at !== -1; at = text.indexOf('*', at + 1)) {
    const from = factorBefore(text, at);
    const to = factorBehind(text, at);
    if (from !== at && to !== at + 1 && isOpened(text, from) && isClosed(text, to)) return true;
  }
  return false;
}

/** `{{`, `${`, `#{`, `%{`, `*{` or `<%=`, not the brace of a formula. */
function isOpened(text: string, from: number): boolean {
  if (text[from - 1] === '{') return '{$#%*@~'.includes(text[from - 2] ?? ' ');
  return text[from - 1] === '=' && text[from - 2] === '%';
}

function isClosed(text: string, to: number): boolean {
  return text[to] === '}' || text.startsWith('%>', to);
}

function factorBefore(text: string, at: number): number {
  let from = at;
  while (from > 0 && from > at - LONGEST_FACTOR && isFactor(text.charCodeAt(from - 1))) from -= 1;
  return from;
}

function factorBehind(text: string, at: number): number {
  let to = at + 1;
  while (to < at + 1 + LONGEST_FACTOR && isFactor(text.charCodeAt(to))) to += 1;
  return to;
}

/** Digits, and what may stand around them: `7*'7'`. */
function isFactor(code: number): boolean {
  return isDigit(code) || isBlank(code) || code === 0x27 || code === 0x22;
}
