import { isBlank, isLetter, isWord, skipBlanks } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';

const SCRIPT = bitOf('xss-script');
const HANDLER = bitOf('xss-handler');
const URI = bitOf('xss-uri');

/** Elements that load or run something as soon as they have an attribute that says what. */
const ACTIVE = ['<iframe', '<object', '<embed', '<applet'] as const;
const SCRIPTS = ['<script', '</script'] as const;
const SCHEMES = ['javascript:', 'vbscript:'] as const;

/** Names of handlers are shorter than this, `on` aside. */
const LONGEST_HANDLER = 24;

/** Rules of markup that text in lower case with a `<` breaks. Linear. */
export function markupIn(text: string): Findings {
  return (hasScript(text) ? SCRIPT : 0) | (hasHandler(text) ? HANDLER : 0);
}

/** `javascript:alert(1)` where a link begins: prose has a blank behind the colon, or no call. */
export function scriptUriIn(text: string): Findings {
  if (text.includes('data:text/html')) return URI;
  for (const scheme of SCHEMES) {
    for (let at = text.indexOf(scheme); at !== -1; at = text.indexOf(scheme, at + 1)) {
      const end = at + scheme.length;
      if (!beginsLink(text, at) || end >= text.length || isBlank(text.charCodeAt(end))) continue;
      // What is behind the last one is behind all of them.
      return holdsCall(text, end) ? URI : 0;
    }
  }
  return 0;
}

function beginsLink(text: string, at: number): boolean {
  if (at === 0) return true;
  const before = text[at - 1] as string;
  return '=\'"(<,'.includes(before) || before <= ' ';
}

function holdsCall(text: string, from: number): boolean {
  return (
    text.includes('(', from) || text.includes('`', from) || text.includes('=', from) || text.startsWith('//', from)
  );
}

function hasScript(text: string): boolean {
  for (const tag of SCRIPTS) {
    for (let at = text.indexOf(tag); at !== -1; at = text.indexOf(tag, at + 1)) {
      if (endsName(text, at + tag.length)) return true;
    }
  }
  for (const tag of ACTIVE) {
    for (let at = text.indexOf(tag); at !== -1; at = text.indexOf(tag, at + 1)) {
      const end = at + tag.length;
      const separator = text.charCodeAt(end);
      if ((isBlank(separator) || separator === 0x2f) && isLetter(text.charCodeAt(skipPast(text, end)))) return true;
    }
  }
  return false;
}

/** What separates a tag from its attributes, a few of them. */
function skipPast(text: string, at: number): number {
  let place = at;
  while (place < at + 32 && (isBlank(text.charCodeAt(place)) || text[place] === '/')) place += 1;
  return place;
}

function endsName(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return at >= text.length || !(isWord(code) || code === 0x2d);
}

/** `<img src=x onerror=…`: from the `<` of a tag to its `>`, an attribute whose name begins with `on`. */
function hasHandler(text: string): boolean {
  let isInTag = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x3c) isInTag = isLetter(text.charCodeAt(at + 1));
    else if (code === 0x3e) isInTag = false;
    else if (isInTag && separates(code) && text.startsWith('on', at + 1) && isHandler(text, at + 3)) return true;
  }
  return false;
}

function separates(code: number): boolean {
  return isBlank(code) || code === 0x2f || code === 0x22 || code === 0x27;
}

function isHandler(text: string, from: number): boolean {
  let end = from;
  while (end < from + LONGEST_HANDLER && isLetter(text.charCodeAt(end))) end += 1;
  if (end < from + 3) return false;
  // A few blanks only: what is behind thousands of them is no business of a browser that far.
  const equals = isBlank(text.charCodeAt(end)) ? skipBlanks(text.slice(end, end + 32), 0) + end : end;
  return text[equals] === '=';
}
