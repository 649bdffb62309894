import type { KeySet, TokenKey } from '../../../policy/auth/token-keys.ts';
import { jwkKey, pemKey } from './jose-key.ts';

/** Issuers have a handful. */
const MAX_KEYS = 100;

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/** A file with a JWK set (RFC 7517 §5) or PEM blocks. Every key in it has to be of use. Throws words for people, with nothing of the keys. */
export function keySetOfFile(content: Buffer): KeySet {
  const text = content.toString('utf8');
  const keys = text.includes('-----BEGIN') ? pemBlocks(text).map(pemKey) : jwksIn(text).map(jwkKey);
  return { keys: keys.map((key, index) => sound(key, index)) };
}

function pemBlocks(text: string): readonly string[] {
  return within(text.match(PEM_BLOCK) ?? []);
}

function sound(key: TokenKey | string, index: number): TokenKey {
  if (typeof key === 'string') throw new Error(`key ${index + 1} can't be used: ${key}`);
  return key;
}

/**
 * What an issuer publishes: keys that are not of use here are passed over, since issuers publish some for other purposes, but one has to be.
 * Throws as above.
 */
export function keySetOfIssuer(content: Uint8Array): KeySet {
  const all = jwksIn(Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8')).map(jwkKey);
  const keys = all.filter((key) => typeof key !== 'string');
  if (keys.length === 0) throw new Error('it has no key that signatures can be verified with');
  return { keys };
}

function jwksIn(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The message of the parser would show some of it.
    throw new Error('it is no JSON');
  }
  const keys = typeof value === 'object' && value !== null ? (value as { readonly keys?: unknown }).keys : undefined;
  if (!Array.isArray(keys)) throw new Error('it is no JWK set: {"keys": […]}');
  return within(keys);
}

function within<T>(keys: readonly T[]): readonly T[] {
  if (keys.length === 0) throw new Error('it has no key');
  if (keys.length > MAX_KEYS) throw new Error(`it has more than ${MAX_KEYS} keys`);
  return keys;
}
