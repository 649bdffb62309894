import { badRequest } from '../errors.ts';
import { hexValue } from '../http/octets.ts';
import type { AdmitPolicy, PolicyRequest, Verdict } from './admit.ts';

/** What may be doubtful about a path that the listener takes, in the order in which reasons are given. */
export const PATH_DOUBTS = [
  'encodedSlash',
  'dotSegments',
  'duplicateSlashes',
  'backslash',
  'semicolon',
  'nonUtf8',
  'doubleEncoding',
] as const;

export type PathDoubt = (typeof PATH_DOUBTS)[number];

/** For log and metric. */
const REASONS: Readonly<Record<PathDoubt, string>> = {
  encodedSlash: 'path-encoded-slash',
  dotSegments: 'path-dot-segment',
  duplicateSlashes: 'path-duplicate-slash',
  backslash: 'path-backslash',
  semicolon: 'path-semicolon',
  nonUtf8: 'path-non-utf8',
  doubleEncoding: 'path-double-encoding',
};

export interface PathsOptions {
  readonly refuse: ReadonlySet<PathDoubt>;
  /** Refuses nothing, and notes what it would have. */
  readonly dryRun: boolean;
}

/**
 * Refuses doubtful spellings of paths with 400, whatever the listener has made of them: the target is judged as the client has sent it, and
 * the canonical path besides, which may have slashes that were escaped before.
 */
export function pathsPolicy({ refuse, dryRun }: PathsOptions): AdmitPolicy<'paths'> {
  const refused = PATH_DOUBTS.reduce((bits, doubt) => (refuse.has(doubt) ? bits | bitOf(doubt) : bits), 0);

  function admit(request: PolicyRequest): Verdict | null {
    const { target } = request.request;
    const question = target.indexOf('?');
    const sent = question === -1 ? target.length : question;
    let found = doubtsIn(target, sent) & refused;
    // Most paths are canonical: the very same text.
    if (request.path.length !== sent) found |= doubtsIn(request.path, request.path.length) & refused;
    if (found === 0) return null;
    const reason = reasonOf(found);
    if (!dryRun) return { kind: 'refuse', error: badRequest(reason) };
    request.note(`${reason}:dry-run`);
    return null;
  }

  return { phase: 'paths', policy: 'paths', admit };
}

function bitOf(doubt: PathDoubt): number {
  return 1 << PATH_DOUBTS.indexOf(doubt);
}

function reasonOf(found: number): string {
  const first = PATH_DOUBTS.find((doubt) => (found & bitOf(doubt)) !== 0);
  return first === undefined ? 'path' : REASONS[first];
}

const ENCODED_SLASH = bitOf('encodedSlash');
const DOT_SEGMENTS = bitOf('dotSegments');
const DUPLICATE_SLASHES = bitOf('duplicateSlashes');
const BACKSLASHES = bitOf('backslash');
const SEMICOLONS = bitOf('semicolon');
const NON_UTF8 = bitOf('nonUtf8');
const DOUBLE_ENCODING = bitOf('doubleEncoding');

const PERCENT = 0x25;
const DOT = 0x2e;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;
/** Whatever is neither a dot nor a separator. */
const OTHER = 0;

/**
 * What is doubtful about the path that `text` holds up to `end`, as bits. Hot; linear, one pass. Escaped and literal spellings are alike,
 * and a backslash ends a segment like a slash: to some readers it does.
 */
function doubtsIn(text: string, end: number): number {
  let found = 0;
  let dots = 0;
  let others = 0;
  let before = OTHER;
  for (let at = 0; at < end; at += 1) {
    let code = text.charCodeAt(at);
    const isEscape = code === PERCENT;
    if (isEscape) {
      code = escaped(text, at, end);
      // A malformed escape was refused before any route was looked for.
      if (code === -1) continue;
      if (code > 0x7f && (found & NON_UTF8) === 0) {
        const length = utf8LengthAt(text, at, end);
        if (length === 0) found |= NON_UTF8;
        else {
          at += 3 * length - 1;
          others += 1;
          before = OTHER;
          continue;
        }
      }
      if (code === PERCENT && escaped(text, at + 2, end) !== -1) found |= DOUBLE_ENCODING;
      at += 2;
    }
    if (code === SLASH || code === BACKSLASH) {
      if (code === BACKSLASH) found |= BACKSLASHES;
      else if (isEscape) found |= ENCODED_SLASH;
      if (others === 0 && (dots === 1 || dots === 2)) found |= DOT_SEGMENTS;
      if (before === SLASH) found |= DUPLICATE_SLASHES;
      dots = 0;
      others = 0;
      before = SLASH;
      continue;
    }
    if (code === DOT) dots += 1;
    // Servlet containers cut parameters off a segment: `..;x` is `..` to them.
    else if (code === SEMICOLON) {
      found |= SEMICOLONS;
      if (others === 0 && (dots === 1 || dots === 2)) found |= DOT_SEGMENTS;
      others += 1;
    } else others += 1;
    before = OTHER;
  }
  if (others === 0 && (dots === 1 || dots === 2)) found |= DOT_SEGMENTS;
  return found;
}

/** The octet that the two digits behind `at` stand for. -1 for none. */
function escaped(text: string, at: number, end: number): number {
  const from = at + 1;
  if (from + 2 > end) return -1;
  const high = hexValue(text.charCodeAt(from));
  const low = hexValue(text.charCodeAt(from + 1));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

/** Escapes from `at` on that are one character of UTF-8 (RFC 3629 §4): 2 to 4 of them, or 0 where they are none. */
function utf8LengthAt(text: string, at: number, end: number): number {
  const lead = escaped(text, at, end);
  const length =
    lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
  for (let i = 1; i < length; i += 1) {
    const place = at + 3 * i;
    const octet = text.charCodeAt(place) === PERCENT ? escaped(text, place, end) : -1;
    // The second octet has narrower bounds where a longer form, a surrogate or a number beyond Unicode would begin.
    const low = i > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = i > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (octet < low || octet > high) return 0;
  }
  return length;
}
