import { createHash, timingSafeEqual } from 'node:crypto';

/** What an `Authorization` field brings (RFC 6750 §2.1); `null` for nothing that could be a token. */
export function tokenIn(authorization: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** Compares hashes, so that neither time nor length tells how much of a guess was right. */
export function isToken(brought: string, token: string): boolean {
  return timingSafeEqual(digest(brought), digest(token));
}

export function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
