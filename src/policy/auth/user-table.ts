import { createHmac, randomBytes } from 'node:crypto';
import { toOctets } from '../octets.ts';
import { decoyOf, parsePasswordHash } from './password-hash.ts';

/** Who there is, and the hashes of their passwords. */
export interface UserTable {
  readonly size: number;
  /** The hash of a user, by the octets of his name; `null` for nobody. */
  hashOf(user: string): string | null;
  /**
   * What is verified in place of the hash of a user whom nobody knows, so that it takes as long as that of one of those who are known: always
   * the same for the same name, and never that of another, or what is remembered of one would tell who else is unknown. No password has it. `null` where there are no users.
   */
  decoyOf(user: string): string | null;
}

/** More than anybody writes by hand. */
const MAX_USERS = 100_000;
const CONTROLS = /[\0-\x1f\x7f]/;

/** By the names of users, as text, in place of a file. `complain` is told of each that can't be used. */
export function userTable(
  hashes: Readonly<Record<string, string>>,
  complain: (user: string, message: string) => void,
): UserTable {
  const users = new Map<string, string>();
  for (const [user, hash] of Object.entries(hashes)) {
    const problem = problemOf(user, hash);
    if (problem !== null) complain(user, problem);
    users.set(toOctets(user), hash);
  }
  return tableOf(users);
}

/**
 * Reads an htpasswd file: `user:hash` on each line, in UTF-8; what stands behind a second colon is a remark, as are lines that begin with `#`.
 * Throws an error with the number of the line for whatever can't be used, and never with the hash.
 */
export function parseHtpasswd(content: Uint8Array): UserTable {
  const users = new Map<string, string>();
  for (const [index, line] of textOf(content).split(/\r?\n/).entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const [user = '', hash = ''] = text.split(':');
    const problem = text.includes(':') ? problemOf(user, hash) : 'a line is user:hash';
    if (problem !== null) throw new Error(`line ${index + 1}: ${problem}`);
    const name = toOctets(user);
    if (users.has(name)) throw new Error(`line ${index + 1}: user “${user}” stands in it twice`);
    if (users.size === MAX_USERS) throw new Error(`more than ${MAX_USERS} users`);
    users.set(name, hash);
  }
  return tableOf(users);
}

function textOf(content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (error) {
    throw new Error('it is no UTF-8', { cause: error });
  }
}

function problemOf(user: string, hash: string): string | null {
  if (user === '' || user.includes(':') || CONTROLS.test(user))
    return 'a user has a name, without colons and control characters';
  const parsed = parsePasswordHash(hash);
  return parsed.ok ? null : `user “${user}”: ${parsed.message}`;
}

/** Of this process alone: nobody can make a password for a decoy, nor tell which hash it is like. */
const DECOY_KEY = randomBytes(32);

function tableOf(users: ReadonlyMap<string, string>): UserTable {
  const hashes = [...users.values()];
  return {
    size: users.size,
    hashOf: (user) => users.get(user) ?? null,
    decoyOf: (user) => {
      const own = createHmac('sha256', DECOY_KEY).update(user, 'latin1').digest();
      const chosen = hashes[own.readUInt32BE() % hashes.length];
      return chosen === undefined ? null : decoyOf(chosen, own);
    },
  };
}
