import { bestAccepted, firstAccepted } from '../http/accept-encoding.ts';
import { parseCacheControl } from '../http/cache-control.ts';
import { getCombined, type HeaderList, removeHeader } from '../http/headers.ts';
import { isNominated } from '../http/hop-by-hop.ts';
import { sliceTrimmed } from '../http/octets.ts';
import { normaliseField } from './field-value.ts';
import { keyedQuery, type QueryRule } from './query-rule.ts';

/** What a route's `cache.key` says. */
export interface KeyPolicy {
  /**
   * Tells two policies apart: what was stored under one is never found under another. Empty for one that changes nothing but
   * `encodings`, which select a variant and are not in the key.
   */
  readonly id: string;
  /** `null`: the query as it was sent. */
  readonly query: QueryRule | null;
  /** Request fields that are part of the key. Lower case. */
  readonly headers: readonly string[];
  /** Cookies that are part of the key. */
  readonly cookies: readonly KeyCookie[];
  /** The codings that an endpoint is asked for, one at a time; `null`: what each client accepts. */
  readonly encodings: readonly string[] | null;
  /** Responses are compressed before they are stored: clients choose by their weights, and who forbids transformations has chosen `identity`. */
  readonly compresses: boolean;
}

export interface KeyCookie {
  readonly name: string;
  /** Finds `name` wherever a reader of cookies might see one, in any case. */
  readonly anywhere: RegExp;
}

const TOKEN_CHARACTER = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]`;

export function keyCookie(name: string): KeyCookie {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return { name, anywhere: new RegExp(String.raw`(?<!${TOKEN_CHARACTER})${literal}[ \t]*=`, 'gi') };
}

/** The fields that select a stored variant: the client's own, with the one coding that the endpoint is asked for. */
export function selectingFields(headers: HeaderList, policy: KeyPolicy): HeaderList {
  const coding = selectingCoding(headers, policy);
  if (coding === null) return headers;
  const draft = headers.slice();
  removeHeader(draft, 'accept-encoding');
  draft.push('Accept-Encoding', coding);
  return draft;
}

/** The coding that a client's fields come to; `null` where they stand as they are. */
export function selectingCoding(headers: HeaderList, { encodings, compresses }: KeyPolicy): string | null {
  if (encodings === null) return null;
  const accepted = getCombined(headers, 'accept-encoding');
  if (!compresses) return firstAccepted(encodings, accepted);
  const cacheControl = getCombined(headers, 'cache-control');
  // RFC 9111 §5.2.1.6
  if (cacheControl !== null && parseCacheControl(cacheControl).noTransform) return 'identity';
  return bestAccepted(encodings, accepted);
}

export function queryInKey(query: string | null, { query: rule }: KeyPolicy): string | null {
  return rule === null ? query : keyedQuery(query, rule);
}

/**
 * What fields and cookies add to the partition: a line for each, empty when the policy names none. Each value is preceded by its length, so
 * that no value can look like two. A field that is absent is not one that is empty, and one that `Connection` keeps from the endpoint is
 * absent. The values of a repeated cookie all count, in their order.
 */
export function keyParts(headers: HeaderList, policy: KeyPolicy): string {
  let parts = '';
  for (const name of policy.headers) parts += headerPart(headers, name);
  if (policy.cookies.length === 0) return parts;
  const cookies = getCombined(headers, 'cookie');
  for (const cookie of policy.cookies) parts += cookies === null ? '\n-' : cookiePart(cookies, cookie);
  return parts;
}

function headerPart(headers: HeaderList, name: string): string {
  const value = isNominated(headers, name) ? null : getCombined(headers, name);
  const part = value === null ? '\n-' : `\n${measured(normaliseField(name, value))}`;
  return name.includes('-') ? part + underscored(headers, name) : part;
}

/** `X_Tenant` is `X-Tenant` to endpoints that read fields from environment variables (RFC 3875 §4.1.18), where a listener keeps it. */
function underscored(headers: HeaderList, name: string): string {
  let part = '';
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string;
    if (field.length !== name.length || !field.includes('_')) continue;
    const lower = field.toLowerCase();
    if (lower.replaceAll('_', '-') === name && lower !== name) part += `_${measured(headers[i + 1] as string)}`;
  }
  return part;
}

function measured(value: string): string {
  return `${value.length}:${value}`;
}

/**
 * Readers of cookies disagree on quotes, commas, blanks and case. Where the name occurs in a way that only some take for the cookie, all
 * that the client sent is in the key: otherwise the endpoint could see another value than the key holds.
 */
function cookiePart(text: string, { name, anywhere }: KeyCookie): string {
  let found = 0;
  let values = '';
  for (const pair of text.split(';')) {
    const trimmed = sliceTrimmed(pair, 0, pair.length);
    if (!trimmed.startsWith(`${name}=`)) continue;
    found += 1;
    values += measured(trimmed.slice(name.length + 1));
  }
  const seen = text.match(anywhere)?.length ?? 0;
  if (seen !== found) return `\n*${measured(text)}`;
  return found === 0 ? '\n-' : `\n${found}=${values}`;
}
