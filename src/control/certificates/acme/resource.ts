import { AcmeError } from './problem.ts';

/** Where an authority does what (RFC 8555 §7.1.1). */
export interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
}

/** RFC 8555 §7.1.3. */
export interface Order {
  readonly status: string;
  /** At most 100, one for each name. */
  readonly authorizations: readonly string[];
  readonly finalize: string;
  /** Once the status is `valid`. */
  readonly certificate: string | null;
  /** The problem document of an order that turned invalid. */
  readonly error: unknown;
}

/** RFC 8555 §7.1.4. */
export interface Authorization {
  readonly status: string;
  readonly name: string;
  readonly challenges: readonly Challenge[];
}

export interface Challenge {
  readonly type: string;
  readonly url: string;
  readonly status: string;
  readonly token: string;
  readonly error: unknown;
}

type Json = Readonly<Record<string, unknown>>;

/** RFC 8555 §8.3: at least 128 bits, base64url. It becomes part of a path, so nothing else will do. */
const TOKEN = /^[A-Za-z0-9_-]{16,256}$/;
const MAX_LIST = 100;

/** Reads a directory. Like all of these, throws an `AcmeError` (`malformed-answer`) for what is none. */
export function directoryOf(json: unknown): Directory {
  const map = mapOf(json, 'directory');
  return { newNonce: url(map, 'newNonce'), newAccount: url(map, 'newAccount'), newOrder: url(map, 'newOrder') };
}

export function orderOf(json: unknown): Order {
  const map = mapOf(json, 'order');
  return {
    status: text(map, 'status'),
    authorizations: list(map, 'authorizations').map((entry) => secureUrl(entry, 'authorizations')),
    finalize: url(map, 'finalize'),
    certificate: map['certificate'] === undefined ? null : url(map, 'certificate'),
    error: map['error'] ?? null,
  };
}

export function authorizationOf(json: unknown): Authorization {
  const map = mapOf(json, 'authorization');
  return {
    status: text(map, 'status'),
    name: text(mapOf(map['identifier'], 'identifier'), 'value').toLowerCase(),
    challenges: list(map, 'challenges').flatMap((entry) => challengeOf(mapOf(entry, 'challenge'))),
  };
}

/** Kinds of challenges that this client does not know may look like anything. */
function challengeOf(map: Json): Challenge[] {
  const { type, token } = map;
  if (typeof type !== 'string' || typeof token !== 'string' || !TOKEN.test(token)) return [];
  return [{ type, token, url: url(map, 'url'), status: text(map, 'status'), error: map['error'] ?? null }];
}

/** `Location` of an answer that came from `url`, which it may be relative to (RFC 9110 §10.2.2). */
export function locationOf(location: string | null, url: string): string {
  return secureUrl(location === null ? null : (URL.parse(location, url)?.href ?? null), 'Location');
}

function mapOf(json: unknown, what: string): Json {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Json;
  throw malformed(`there is no ${what} in it`);
}

function text(map: Json, key: string): string {
  const value = map[key];
  if (typeof value === 'string') return value;
  throw malformed(`“${key}” is missing`);
}

function list(map: Json, key: string): readonly unknown[] {
  const value = map[key];
  if (Array.isArray(value) && value.length <= MAX_LIST) return value;
  throw malformed(`“${key}” is no list of at most ${MAX_LIST}`);
}

function url(map: Json, key: string): string {
  return secureUrl(map[key], key);
}

/** RFC 8555 §6.1: HTTPS throughout. */
function secureUrl(value: unknown, key: string): string {
  if (typeof value === 'string' && value.startsWith('https://') && URL.canParse(value)) return value;
  throw malformed(`“${key}” is no https:// URL`);
}

function malformed(why: string): AcmeError {
  return new AcmeError('malformed-answer', `The authority's answer can't be used: ${why}`);
}
