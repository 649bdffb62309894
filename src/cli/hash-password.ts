import { argon2Sync, randomBytes, scryptSync } from 'node:crypto';
import { createInterface } from 'node:readline/promises';
import { Readable, Writable } from 'node:stream';
import { genSaltSync, hashSync, truncates } from 'bcryptjs';
import type { Io } from './command.ts';
import type { HashAlgorithm, HashPasswordOptions } from './commands/hash-password.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';

/** Longer ones are no passwords, and no request could bring them. */
const MAX_OCTETS = 1024;
const SALT_OCTETS = 16;
const DIGEST_OCTETS = 32;

/** What OWASP's cheat sheet on password storage recommends (2025): some ten milliseconds each, which is the gateway's own time. */
const ARGON2 = { memory: 19_456, passes: 2, parallelism: 1, tagLength: DIGEST_OCTETS } as const;
const SCRYPT = { logCost: 15, r: 8, p: 3 } as const;
const BCRYPT_COST = 10;

/** `headgate hash-password`: the hash of what comes in, or what is wrong with that. */
export async function hashPassword({ algorithm, user }: HashPasswordOptions, io: Io): Promise<ExitCode> {
  const password = await readPassword(io);
  const problem = problemOf(password, algorithm);
  if (problem !== null) {
    io.stderr.write(`headgate: ${problem}\n`);
    return exitCodes.failure;
  }
  io.stdout.write(`${user === null ? '' : `${user}:`}${hashOf(password, algorithm)}\n`);
  return exitCodes.ok;
}

function problemOf(password: string, algorithm: HashAlgorithm): string | null {
  if (password === '') return 'there is no password on standard input';
  // RFC 7617 §2: nobody could log in with it.
  if (/[\0-\x1f\x7f]/.test(password)) return 'a password is one line without control characters';
  if (password.includes('\ufffd')) return 'a password is UTF-8';
  if (Buffer.byteLength(password) > MAX_OCTETS) return `a password has ${MAX_OCTETS} octets at most`;
  return algorithm === 'bcrypt' && truncates(password)
    ? 'bcrypt looks at 72 octets of a password alone: use argon2id'
    : null;
}

function hashOf(password: string, algorithm: HashAlgorithm): string {
  if (algorithm === 'bcrypt') return hashSync(password, genSaltSync(BCRYPT_COST));
  const salt = randomBytes(SALT_OCTETS);
  if (algorithm === 'argon2id') {
    const digest = argon2Sync('argon2id', { ...ARGON2, message: password, nonce: salt });
    const { memory, passes, parallelism } = ARGON2;
    return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(digest)}`;
  }
  const { logCost, r, p } = SCRYPT;
  const digest = scryptSync(password, salt, DIGEST_OCTETS, { N: 2 ** logCost, r, p, maxmem: 2 ** 26 });
  return `$scrypt$ln=${logCost},r=${r},p=${p}$${base64(salt)}$${base64(digest)}`;
}

/** Of a PHC string: without padding. */
function base64(octets: Buffer): string {
  return octets.toString('base64').replace(/=+$/, '');
}

async function readPassword({ stdin, stderr }: Io): Promise<string> {
  if (stdin instanceof Readable && 'isTTY' in stdin && stdin.isTTY === true) return asked(stdin, stderr);
  const parts: Buffer[] = [];
  for await (const part of stdin) parts.push(Buffer.from(part));
  // What `echo` and editors put behind it.
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

/** Asks in a terminal, and does not show what is typed. */
async function asked(input: Readable, stderr: Io['stderr']): Promise<string> {
  stderr.write('Password: ');
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    stderr.write('\n');
  }
}
