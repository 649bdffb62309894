import { isDigit } from '../../http/octets.ts';
import { holdsOneOf, isBlank, isWord, skipBlanks } from './characters.ts';
import { bitOf, type Findings } from './rule-ids.ts';

const COMMAND = bitOf('command');
const SHELLSHOCK = bitOf('shellshock');

/** Programs that attacks begin with. `head`, `grep` and the like are what people ask about. */
const PROGRAMS: ReadonlySet<string> = new Set(
  (
    'bash busybox cat chmod chown cmd curl dash dig echo id ifconfig ipconfig ksh ls nc ncat net netcat nslookup perl php ping powershell ' +
    'ps pwd python python2 python3 rm ruby sh sleep telnet tftp touch uname wget whoami zsh'
  ).split(' '),
);
/** Those that tell something without being asked what. */
const TALKING: ReadonlySet<string> = new Set(['whoami', 'ifconfig', 'ipconfig']);
/** Those that a number may follow. */
const COUNTING: ReadonlySet<string> = new Set(['nc', 'ncat', 'netcat', 'ping', 'sleep', 'telnet']);

const LONGEST_PROGRAM = 48;
/** Blanks that are skipped between two words of a command. */
const MOST_BLANKS = 32;

/** Rules of shells that text in lower case breaks, which has a sign of theirs. Linear: a bounded look from each sign. */
export function commandsIn(text: string): Findings {
  return (hasCommand(text) ? COMMAND : 0) | (text.includes('() {') && isShellshock(text) ? SHELLSHOCK : 0);
}

function isShellshock(text: string): boolean {
  return text.trimStart().startsWith('() {') || holdsOneOf(text, ['() { :;', '() { _;', '() { ignored']);
}

function hasCommand(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '$') {
      if (text[at + 1] === '(' && isCommand(text, at + 2, true)) return true;
    } else if (';|&\n'.includes(character)) {
      const start = skipBlanks(text, at + 1);
      if (isCommand(text, start, false)) return true;
      // Line ends among the blanks lead to the same place.
      at = start - 1;
    }
  }
  return false;
}

/** `cat /etc/passwd`, `/usr/bin/curl -s`, `whoami`; `isSubstituted`: in `$( … )`, where any program is meant. */
function isCommand(text: string, from: number, isSubstituted: boolean): boolean {
  const start = afterBlanks(text, from);
  let end = start;
  let name = start;
  while (end < start + LONGEST_PROGRAM && isNamePart(text.charCodeAt(end))) {
    end += 1;
    if (text[end - 1] === '/') name = end;
  }
  if (end === name) return false;
  const program = text.slice(name, end).replace(/\.exe$/, '');
  if (!PROGRAMS.has(program)) return false;
  if (isSubstituted) return text[end] === ')' || isBlank(text.charCodeAt(end)) || text[end] === '$';
  return TALKING.has(program) && endsCommand(text, end) ? true : hasArguments(text, end, program);
}

function isNamePart(code: number): boolean {
  return isWord(code) || code === 0x2f || code === 0x2e;
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (at < from + MOST_BLANKS && isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function endsCommand(text: string, at: number): boolean {
  const next = afterBlanks(text, at);
  return next >= text.length || ';|&)`\'"#'.includes(text[next] as string);
}

/** An option, a path, a URL, a variable: prose has none of them behind the name of a program. */
function hasArguments(text: string, end: number, program: string): boolean {
  // `cat${IFS}/etc/passwd`, `cat</etc/passwd`
  if (text[end] === '$' || text[end] === '<') return true;
  const at = afterBlanks(text, end);
  if (at === end) return false;
  const code = text.charCodeAt(at);
  if (text[at] === '-') return isWord(text.charCodeAt(at + 1)) || text[at + 1] === '-';
  if (text[at] === '/' || text[at] === '$' || text[at] === '~') return isPathPart(text.charCodeAt(at + 1));
  if (text.startsWith('http:', at) || text.startsWith('https:', at)) return true;
  return isDigit(code) && COUNTING.has(program);
}

function isPathPart(code: number): boolean {
  return isNamePart(code) || code === 0x7b || code === 0x28;
}
