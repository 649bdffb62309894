import { RE2JS } from 're2js';
import { type Compiled, compiledUnless, type PolicyProblem } from './compiled.ts';

/** `https://shop.example`, `https://*.shop.example`, `http://localhost:*`, or RE2 syntax for the whole origin. */
export type OriginPattern = string | { readonly regex: string };

/** Does an origin, as a browser serialises it, belong to those that are listed? Never true for `null` and for what is no origin. */
export type OriginTest = (origin: string) => boolean;

/** Scheme, 253 characters of a host name (RFC 1035 §2.3.4), its final dot, and a port. */
const MAX_ORIGIN_LENGTH = 300;

const SCHEME = '[a-z][a-z0-9+.-]*';
const LABELS = String.raw`[a-z0-9_-]+(?:\.[a-z0-9_-]+)*`;
const HOST = String.raw`\[[0-9a-f:.]+\]|${LABELS}\.?`;
const PORT = String.raw`[1-9]\d{0,4}`;

/** RFC 6454 §6.2, in the lower case that browsers write. Each repetition ends at a character that it can't hold: linear. */
const ORIGIN = new RegExp(`^(${SCHEME})://(${HOST})(?::(${PORT}))?$`);
const PATTERN = new RegExp(String.raw`^(${SCHEME})://(\*\.)?(${HOST})(?::(${PORT}|\*))?$`);
const LABELS_ONLY = new RegExp(`^${LABELS}$`);

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21' };

/** Is `text` an origin with a scheme and a host (RFC 6454 §6.2)? `null` is not, nor is anything that only looks like one. */
export function isOrigin(text: string): boolean {
  return text.length <= MAX_ORIGIN_LENGTH && ORIGIN.test(text);
}

/**
 * Compiles a list of origins. Exact ones are compared as a whole. `*.` stands for one or more whole labels, so that neither
 * `https://evil-shop.example` nor `https://shop.example.evil.test` is like `https://*.shop.example`, and nor is `https://shop.example` itself.
 * `:*` stands for any port, and none. Regexes have to match all of it, whatever anchors they have. `path` of a problem begins with the index.
 */
export function compileOrigins(patterns: readonly OriginPattern[]): Compiled<OriginTest> {
  const problems: PolicyProblem[] = [];
  const exact = new Set<string>();
  const others: OriginTest[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const made = typeof pattern === 'string' ? compileText(pattern) : compileRegex(pattern.regex);
    if ('message' in made) {
      problems.push({ path: typeof pattern === 'string' ? [index] : [index, 'regex'], message: made.message });
    } else if (made.test === null) exact.add(made.origin);
    else others.push(made.test);
  }
  return compiledUnless(problems, () => testOf(exact, others));
}

function testOf(exact: ReadonlySet<string>, others: readonly OriginTest[]): OriginTest {
  if (others.length === 0) return (origin) => exact.has(origin);
  return (origin) => {
    if (exact.has(origin)) return true;
    if (!isOrigin(origin)) return false;
    for (const test of others) if (test(origin)) return true;
    return false;
  };
}

type Made =
  | { readonly test: null; readonly origin: string }
  | { readonly test: OriginTest }
  | { readonly message: string };

function compileText(text: string): Made {
  const found = PATTERN.exec(text.toLowerCase());
  if (found === null || text.length > MAX_ORIGIN_LENGTH) return { message: mistakeIn(text) };
  const [, scheme = '', wildcard, host = '', port] = found;
  if (wildcard !== undefined && /^\[|^[\d.]+$/.test(host)) return { message: `“${text}”: nothing is below an address` };
  if (Number(port) > 65_535) return { message: `“${text}”: a port is 65535 at most` };
  const ending = port === undefined || port === '*' || port === DEFAULT_PORTS[scheme] ? '' : `:${port}`;
  if (wildcard === undefined && port !== '*') return { test: null, origin: `${scheme}://${host}${ending}` };
  const start = `${scheme}://`;
  const hostTest = wildcard === undefined ? (name: string) => name === host : below(`.${host}`);
  return {
    test: (origin) => {
      if (!origin.startsWith(start)) return false;
      const rest = origin.slice(start.length);
      if (port !== '*') return rest.endsWith(ending) && hostTest(rest.slice(0, rest.length - ending.length));
      // It is an origin: what follows the last colon behind a bracket is a port.
      return hostTest(rest.replace(/:\d{1,5}$/, ''));
    },
  };
}

/** `suffix` begins with its dot; what stands before it is whole labels. */
function below(suffix: string): (host: string) => boolean {
  return (host) => host.endsWith(suffix) && LABELS_ONLY.test(host.slice(0, -suffix.length));
}

function compileRegex(source: string): Made {
  try {
    // By itself first: `a)|(b` would get out of the group.
    RE2JS.compile(source);
    const regex = RE2JS.compile(String.raw`\A(?:${source})\z`);
    return { test: (origin) => regex.test(origin) };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return { message: `not a regular expression that RE2 knows: ${reason}` };
  }
}

function mistakeIn(text: string): string {
  if (text === '*') return '“*” stands for every origin, and stands alone: origins: "*"';
  if (text === 'null') return '“null” is the origin of every sandboxed frame, whoever wrote it: it can’t be allowed';
  if (!text.includes('://')) return `“${text}” is no origin: a scheme is missing, as in https://${text}`;
  if (/^[^/]*:\/\/[^/]+\/./.test(text) || text.endsWith('/')) {
    return `“${text}” is no origin: it ends after host and port, without a path or “/”`;
  }
  if (/[^\0-\x7f]/.test(text)) return `“${text}” is no origin: browsers send the name in ASCII (xn--…)`;
  return `“${text}” is no origin: write https://shop.example, https://*.shop.example or http://localhost:*`;
}
