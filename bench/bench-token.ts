import { createHmac } from 'node:crypto';

/** For nothing but the bench. */
export const benchSecret = 'the bench has this secret, 32 bytes';

/** A token of 700 bytes, as they are with some roles in them, that holds for as long as anybody measures. */
export function benchToken(): string {
  const roles = Array.from({ length: 40 }, (_, index) => `role-${index}`);
  const claims = { iss: 'bench', sub: 'ada', exp: 4_000_000_000, roles };
  const head = [{ alg: 'HS256' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${head}.${createHmac('sha256', benchSecret).update(head).digest('base64url')}`;
}
