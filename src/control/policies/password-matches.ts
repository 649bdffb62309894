import { argon2Sync, scryptSync, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';
import { parsePasswordHash } from '../../policy/auth/password-hash.ts';

/** Has `password`, as text, this hash? Takes long and a lot of memory: that is what such hashes are for. Throws for what is no hash. */
export function passwordMatches(text: string, password: string): boolean {
  const parsed = parsePasswordHash(text);
  if (!parsed.ok) throw new TypeError(parsed.message);
  const { hash } = parsed;
  if (hash.kind === 'bcrypt') return compareSync(password, hash.text);
  const { salt, digest } = hash;
  if (hash.kind === 'argon2') {
    const { variant, memoryKiB: memory, passes, lanes: parallelism } = hash;
    const tagLength = digest.byteLength;
    return timingSafeEqual(
      argon2Sync(variant, { message: password, nonce: salt, memory, passes, parallelism, tagLength }),
      digest,
    );
  }
  const { logCost, blockSize, parallelization } = hash;
  const N = 2 ** logCost;
  const options = { N, r: blockSize, p: parallelization, maxmem: 128 * blockSize * (N + parallelization + 2) };
  return timingSafeEqual(scryptSync(password, salt, digest.byteLength, options), digest);
}
