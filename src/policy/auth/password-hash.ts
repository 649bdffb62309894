import { createHmac } from 'node:crypto';

/** A hash of a password, as it stands in a file, understood. */
export type PasswordHash =
  | { readonly kind: 'bcrypt'; readonly text: string; readonly cost: number }
  | {
      readonly kind: 'argon2';
      readonly variant: 'argon2id' | 'argon2i';
      readonly memoryKiB: number;
      readonly passes: number;
      readonly lanes: number;
      readonly salt: Uint8Array;
      readonly digest: Uint8Array;
    }
  | {
      readonly kind: 'scrypt';
      /** Its binary logarithm. */
      readonly logCost: number;
      readonly blockSize: number;
      readonly parallelization: number;
      readonly salt: Uint8Array;
      readonly digest: Uint8Array;
    };

export type ParsedHash =
  | { readonly ok: true; readonly hash: PasswordHash }
  /** Lower case, without the hash itself. */
  | { readonly ok: false; readonly message: string };

/** Higher ones take JavaScript longer than anybody waits: 2^16 rounds are some seconds. */
const MAX_BCRYPT_COST = 16;
/** Of argon2 and scrypt. */
const MAX_MEMORY_KIB = 1024 * 1024;
const MAX_PASSES = 64;
const MAX_LANES = 64;
const MAX_BLOCK_SIZE = 64;
const MIN_OCTETS = 8;
const MAX_OCTETS = 128;

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** What else is found in such files, and can't be used. */
const OTHERS: readonly (readonly [start: RegExp, name: string])[] = [
  [/^\{SHA\}/i, 'unsalted SHA-1 ({SHA})'],
  [/^\{SSHA\}/i, 'salted SHA-1 ({SSHA})'],
  [/^\{PLAIN\}/i, 'a password in clear ({PLAIN})'],
  [/^\$apr1\$/, 'MD5 of Apache ($apr1$)'],
  [/^\$1\$/, 'MD5-crypt ($1$)'],
  [/^\$5\$/, 'SHA-256-crypt ($5$)'],
  [/^\$6\$/, 'SHA-512-crypt ($6$)'],
  [/^\$(?:y|gy|7)\$/, 'yescrypt or scrypt of crypt(3)'],
  [/^\$2x?\$/, 'a faulty bcrypt ($2$, $2x$)'],
  [/^\$argon2d\$/, 'argon2d, which is not for passwords'],
  [/^\$pbkdf2/, 'PBKDF2'],
];

const WHAT_TO_DO = 'use argon2id, scrypt or bcrypt: headgate hash-password makes one';

/**
 * Understands a hash: bcrypt (`$2a$`, `$2b$`, `$2y$`), argon2id and argon2i 1.3, scrypt, the last three as PHC strings. What would take more
 * than 1 GiB or some seconds is refused, and what is no hash, or a broken one.
 */
export function parsePasswordHash(text: string): ParsedHash {
  if (text.startsWith('$argon2id$') || text.startsWith('$argon2i$')) return argon2(text);
  if (text.startsWith('$scrypt$')) return scrypt(text);
  const bcrypt = BCRYPT.exec(text);
  if (bcrypt !== null) return bcryptOf(text, Number(bcrypt[1]));
  if (/^\$2[aby]\$/.test(text)) return wrong('this is no whole bcrypt hash: it has 60 characters');
  const known = OTHERS.find(([start]) => start.test(text));
  if (known !== undefined) return wrong(`${known[1]} is not supported: ${WHAT_TO_DO}`);
  return wrong(`this is no hash of a known kind, or a password in clear: ${WHAT_TO_DO}`);
}

function bcryptOf(text: string, cost: number): ParsedHash {
  if (cost < 4 || cost > MAX_BCRYPT_COST)
    return wrong(`bcrypt with cost ${cost} is not supported: 4 to ${MAX_BCRYPT_COST}`);
  return { ok: true, hash: { kind: 'bcrypt', text, cost } };
}

function wrong(message: string): ParsedHash {
  return { ok: false, message };
}

/** `$argon2id$v=19$m=65536,t=3,p=4$salt$digest`. */
function argon2(text: string): ParsedHash {
  const [, variant, version, settings, salt, digest, ...rest] = text.split('$');
  if (version !== 'v=19') return wrong('this is argon2 of another version than 1.3 (v=19), or a broken hash');
  const found = parameters(settings, ['m', 't', 'p']);
  const octets = saltAndDigest(salt, digest);
  if (found === null || octets === null || rest.length > 0) return wrong('this is a broken argon2 hash');
  const [memoryKiB, passes, lanes] = found as [number, number, number];
  const bounded = memoryKiB <= MAX_MEMORY_KIB && passes <= MAX_PASSES && lanes <= MAX_LANES;
  if (!bounded)
    return wrong(`argon2 with more than 1 GiB, ${MAX_PASSES} passes or ${MAX_LANES} lanes is not supported`);
  // RFC 9106 §3.1.
  if (lanes < 1 || passes < 1 || memoryKiB < 8 * lanes) return wrong('this is a broken argon2 hash');
  return {
    ok: true,
    hash: {
      kind: 'argon2',
      variant: variant === 'argon2i' ? 'argon2i' : 'argon2id',
      memoryKiB,
      passes,
      lanes,
      ...octets,
    },
  };
}

/** `$scrypt$ln=15,r=8,p=1$salt$digest`. */
function scrypt(text: string): ParsedHash {
  const [, , settings, salt, digest, ...rest] = text.split('$');
  const found = parameters(settings, ['ln', 'r', 'p']);
  const octets = saltAndDigest(salt, digest);
  if (found === null || octets === null || rest.length > 0) return wrong('this is a broken scrypt hash');
  const [logCost, blockSize, parallelization] = found as [number, number, number];
  if (logCost < 1 || blockSize < 1 || parallelization < 1) return wrong('this is a broken scrypt hash');
  const isBounded = blockSize <= MAX_BLOCK_SIZE && parallelization <= MAX_LANES;
  // RFC 7914 §6: 128 · r · N octets.
  if (!isBounded || logCost > 24 || (2 ** logCost * blockSize) / 8 > MAX_MEMORY_KIB) {
    return wrong(`scrypt with more than 1 GiB, r=${MAX_BLOCK_SIZE} or p=${MAX_LANES} is not supported`);
  }
  return { ok: true, hash: { kind: 'scrypt', logCost, blockSize, parallelization, ...octets } };
}

/** The values of `m=65536,t=3,p=4`, in the order of `names`. `null` where one is missing or not a number of ten digits at most. */
function parameters(text: string | undefined, names: readonly string[]): readonly number[] | null {
  const given = (text ?? '').split(',').map((part) => /^([a-z]+)=(\d{1,10})$/.exec(part));
  const inOrder = given.length === names.length && given.every((part, index) => part?.[1] === names[index]);
  return inOrder ? given.map((part) => Number(part?.[2])) : null;
}

function saltAndDigest(salt = '', digest = ''): { readonly salt: Buffer; readonly digest: Buffer } | null {
  const octets = [salt, digest].map((text) => (/^[A-Za-z0-9+/]+$/.test(text) ? Buffer.from(text, 'base64') : null));
  const [first, second] = octets;
  if (first == null || second == null) return null;
  const fits = ({ length }: Buffer): boolean => length >= MIN_OCTETS && length <= MAX_OCTETS;
  return fits(first) && fits(second) ? { salt: first, digest: second } : null;
}

const BCRYPT_DIGITS = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Of its 60 characters, those of the digest. The last of them stands for four bits alone. */
const BCRYPT_DIGEST_AT = 29;

/**
 * A hash that takes as long to verify as `text`, which must be one, and that no password has: its digest is made of `key`. The same for
 * the same hash.
 */
export function decoyOf(text: string, key: Uint8Array): string {
  const octets = createHmac('sha512', key).update(text).digest();
  if (text.startsWith('$2')) {
    const digits = Array.from(octets.subarray(0, 30), (octet) => BCRYPT_DIGITS[octet & 63]).join('');
    return `${text.slice(0, BCRYPT_DIGEST_AT)}${digits}O`;
  }
  const start = text.lastIndexOf('$') + 1;
  const length = Buffer.from(text.slice(start), 'base64').byteLength;
  const digest = Buffer.alloc(length, octets).toString('base64').replace(/=+$/, '');
  return text.slice(0, start) + digest;
}
