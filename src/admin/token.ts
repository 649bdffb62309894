import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Does this `Authorization` field bring the token (RFC 6750 §2.1)? Compares hashes, so that neither time nor length tells how much
 * of a guess was right.
 */
export function bringsToken(authorization: string | undefined, token: string): boolean {
  const brought = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1];
  return brought !== undefined && timingSafeEqual(digest(brought), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
