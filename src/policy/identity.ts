import type { HeaderList } from '../http/headers.ts';

export type AuthScheme = 'basic' | 'api-key' | 'jwt' | 'forward' | 'oidc';

/** Whoever a request was authenticated as. */
export interface Identity {
  readonly scheme: AuthScheme;
  /** Name of the user, octets; empty where the scheme knows none. */
  readonly user: string;
  /** What is known besides: claims of a token, metadata of a key. Never the credentials themselves. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Fields that tell the endpoint who it is. What the client sends under these names is gone before. */
  readonly fields: HeaderList;
  /** Names, lower case, of fields of the request that go no further, as the credentials in them. `null` for none. */
  readonly removes: readonly string[] | null;
  /** `Cookie` as it goes upstream, in place of the client's, without a session of ours; `null` as the client sent it, '' for none. */
  readonly cookie: string | null;
  /** The credentials themselves go upstream: what is answered to one user is for no other, whatever the response says of caches. Default false. */
  readonly seesCredentials?: boolean;
  /** What tells these credentials from those of others of the same scheme and name, where names do not: no secret, but a digest of one may be. Default ''. */
  readonly apart?: string;
}

/** A claim by its path, `realm_access.roles`, as text: lists with commas between; '' for what is not there or is no text that stays what it is as a field. Octets are the caller's. */
export function claimText(claims: Readonly<Record<string, unknown>>, name: string): string {
  const value = claimOf(claims, name);
  if (Array.isArray(value)) return value.map(scalarText).join(',');
  return scalarText(value);
}

/** A claim by its name, else by its path of names with dots between. `undefined` for none. */
export function claimOf(claims: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const key of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** The name of a user by a claim, as `claimText`; '' also for one with control characters, which as a field would be the name of another. */
export function userOf(claims: Readonly<Record<string, unknown>>, name: string): string {
  const text = claimText(claims, name);
  return CONTROL.test(text) ? '' : text;
}

const CONTROL = /[\0-\x1f\x7f]/;
/** Controls become blanks in a field, and blanks at its ends are no part of it (RFC 9110 §5.5): “admin” is not who is called “ admin”. */
const LOST_AT_ENDS = /^[\0-\x20\x7f]|[\0-\x20\x7f]$/;

function scalarText(value: unknown): string {
  if (!isScalar(value)) return '';
  const text = String(value);
  return LOST_AT_ENDS.test(text) ? '' : text;
}

/**
 * Can it be written as text, and is it then what somebody signed? JSON leaves nothing of an integer beyond 2^53 but a neighbour (RFC 8259 §6): two users
 * with such numbers would be one.
 */
export function isScalar(value: unknown): value is string | number | boolean {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  return typeof value === 'string' || typeof value === 'boolean';
}
