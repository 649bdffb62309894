import { isOws, isTchar, sliceTrimmed } from './octets.ts';

/** Directives of a Cache-Control field (RFC 9111 §5.2, RFC 5861, RFC 8246). Times are whole seconds; `null` = not given. */
export interface CacheDirectives {
  readonly noStore: boolean;
  /** Without field names. With them (`noCacheFields`) only those fields need revalidation. */
  readonly noCache: boolean;
  readonly noCacheFields: readonly string[];
  /** Without field names. With them (`privateFields`) only those fields are. */
  readonly private: boolean;
  readonly privateFields: readonly string[];
  readonly public: boolean;
  readonly maxAgeS: number | null;
  readonly sMaxAgeS: number | null;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly noTransform: boolean;
  readonly immutable: boolean;
  readonly onlyIfCached: boolean;
  /** `Infinity` when given without a value: any staleness will do. */
  readonly maxStaleS: number | null;
  readonly minFreshS: number | null;
  readonly staleWhileRevalidateS: number | null;
  readonly staleIfErrorS: number | null;
}

type Draft = { -readonly [K in keyof CacheDirectives]: CacheDirectives[K] };

const MAX_SECONDS = 2 ** 31; // RFC 9111 §1.2.2: what a greater number counts as

function nothing(): Draft {
  return {
    noStore: false,
    noCache: false,
    noCacheFields: [],
    private: false,
    privateFields: [],
    public: false,
    maxAgeS: null,
    sMaxAgeS: null,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    noTransform: false,
    immutable: false,
    onlyIfCached: false,
    maxStaleS: null,
    minFreshS: null,
    staleWhileRevalidateS: null,
    staleIfErrorS: null,
  };
}

const absent: CacheDirectives = Object.freeze(nothing());

/**
 * Reads a Cache-Control field whose lines were combined by `, `. Names in any case, arguments as token or quoted string
 * alike (§5.2); unknown directives are skipped, and nothing inside quotes is taken for a directive.
 *
 * Of repeated times the first counts (§4.2.1). A `max-age` or `s-maxage` that is not a number of seconds counts as 0, since
 * invalid freshness is best taken for stale (§4.2.1); another such time counts as not given. `no-cache` and `private`
 * without field names win over ones with names, and count as such when what is named is no field.
 */
export function parseCacheControl(combined: string | null): CacheDirectives {
  if (combined === null) return absent;
  const draft = nothing();
  for (let at = 0; at < combined.length; ) {
    const nameEnd = endOfToken(combined, at);
    const name = combined.slice(at, nameEnd).toLowerCase();
    let end = nameEnd;
    let argument: string | null = null;
    if (combined[nameEnd] === '=') {
      const closing = combined[nameEnd + 1] === '"' ? closingQuote(combined, nameEnd + 1) : -1;
      end = endOfMember(combined, closing === -1 ? nameEnd + 1 : closing + 1);
      argument = argumentText(combined, nameEnd + 1, end);
    } else {
      end = endOfMember(combined, nameEnd);
      // `max-age =5`: there is something, but not an argument.
      if (sliceTrimmed(combined, nameEnd, end) !== '') argument = '';
    }
    if (name !== '') apply(draft, name, argument);
    at = skipSeparators(combined, end);
  }
  return draft;
}

/** The same from directives that another syntax has told apart; names in lower case, `null` for no argument. */
export function directivesFrom(members: Iterable<readonly [name: string, argument: string | null]>): CacheDirectives {
  const draft = nothing();
  for (const [name, argument] of members) apply(draft, name, argument);
  return draft;
}

function endOfToken(text: string, from: number): number {
  let i = from;
  while (i < text.length && isTchar(text.charCodeAt(i))) i += 1;
  return i;
}

function endOfMember(text: string, from: number): number {
  const comma = text.indexOf(',', from);
  return comma === -1 ? text.length : comma;
}

function skipSeparators(text: string, from: number): number {
  let i = from;
  while (i < text.length && (text[i] === ',' || text[i] === ' ' || text[i] === '\t')) i += 1;
  return i;
}

/** Index of the quote that closes the one at `start`, or -1: a quote left open hides no directive behind it. */
function closingQuote(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i += 1) {
    if (text[i] === '\\') i += 1;
    else if (text[i] === '"') return i;
  }
  return -1;
}

/** Nothing for `max-age= 5`: an argument touches its sign (RFC 9111 §5.2), and what does not is none. */
function argumentText(text: string, from: number, to: number): string {
  if (isOws(text.charCodeAt(from))) return '';
  const raw = sliceTrimmed(text, from, to);
  if (raw.length < 2 || !raw.startsWith('"') || closingQuote(raw, 0) !== raw.length - 1) return raw;
  return raw.slice(1, -1).replace(/\\(.)/g, '$1');
}

function apply(draft: Draft, name: string, argument: string | null): void {
  switch (name) {
    case 'max-age':
      draft.maxAgeS ??= seconds(argument) ?? 0;
      return;
    case 's-maxage':
      draft.sMaxAgeS ??= seconds(argument) ?? 0;
      return;
    case 'max-stale':
      draft.maxStaleS ??= argument === null ? Number.POSITIVE_INFINITY : seconds(argument);
      return;
    case 'min-fresh':
      draft.minFreshS ??= seconds(argument);
      return;
    case 'stale-while-revalidate':
      draft.staleWhileRevalidateS ??= seconds(argument);
      return;
    case 'stale-if-error':
      draft.staleIfErrorS ??= seconds(argument);
      return;
    case 'no-cache': {
      const names = fieldNames(argument);
      if (names === null) draft.noCache = true;
      else draft.noCacheFields = [...draft.noCacheFields, ...names];
      return;
    }
    case 'private': {
      const names = fieldNames(argument);
      if (names === null) draft.private = true;
      else draft.privateFields = [...draft.privateFields, ...names];
      return;
    }
    default:
      applyFlag(draft, name);
  }
}

/** Directives without an argument; one that is given all the same is ignored (RFC 9111 §5.2.3). */
function applyFlag(draft: Draft, name: string): void {
  switch (name) {
    case 'no-store':
      draft.noStore = true;
      return;
    case 'public':
      draft.public = true;
      return;
    case 'must-revalidate':
      draft.mustRevalidate = true;
      return;
    case 'proxy-revalidate':
      draft.proxyRevalidate = true;
      return;
    case 'must-understand':
      draft.mustUnderstand = true;
      return;
    case 'no-transform':
      draft.noTransform = true;
      return;
    case 'immutable':
      draft.immutable = true;
      return;
    case 'only-if-cached':
      draft.onlyIfCached = true;
      return;
  }
}

/** `delta-seconds` (RFC 9111 §1.2.2), at most 2^31, or `null` when it is none. */
function seconds(argument: string | null): number | null {
  if (argument === null || !/^[0-9]+$/.test(argument)) return null;
  return Math.min(Number(argument), MAX_SECONDS);
}

/** The field names of `no-cache` or `private`, in lower case. `null`, for the whole response, when none or something else is named. */
function fieldNames(argument: string | null): string[] | null {
  if (argument === null) return null;
  const names: string[] = [];
  for (const part of argument.split(',')) {
    const name = sliceTrimmed(part, 0, part.length).toLowerCase();
    if (name === '') continue;
    if (endOfToken(name, 0) !== name.length) return null;
    names.push(name);
  }
  return names.length === 0 ? null : names;
}
