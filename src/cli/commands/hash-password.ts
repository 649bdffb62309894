import type { Command } from '../command.ts';
import { UsageError } from '../usage-error.ts';

/** What passwords are hashed with; the first unless told otherwise. */
export const HASH_ALGORITHMS = ['argon2id', 'scrypt', 'bcrypt'] as const;
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

export interface HashPasswordOptions {
  readonly algorithm: HashAlgorithm;
  /** Whose line of an htpasswd file it becomes; `null` for the hash alone. */
  readonly user: string | null;
}

const EXAMPLE = 'For example: headgate hash-password --user ann >> htpasswd';

export const hashPassword: Command<HashPasswordOptions> = {
  name: 'hash-password',
  summary: 'hash a password for basic authentication',
  group: 'configuration',
  options: {
    user: { value: 'USER', short: 'u', summary: 'print a line of an htpasswd file, USER:HASH' },
    algorithm: {
      value: 'ALGORITHM',
      short: 'a',
      summary: `one of ${HASH_ALGORITHMS.join(', ')} (default ${HASH_ALGORITHMS[0]})`,
      completes: HASH_ALGORITHMS,
    },
  },
  positionals: [],
  help: {
    lead: `Read a password from standard input and print its hash, for auth.basic of a route. In a terminal it is
asked for, and not shown; it is never an argument, which others on the machine could see.`,
    examples: ['headgate hash-password', 'headgate hash-password --user ann >> htpasswd'],
  },
  hint: EXAMPLE,
  parse: (given) => {
    const name = given.text('algorithm') ?? HASH_ALGORITHMS[0];
    const algorithm = HASH_ALGORITHMS.find((known) => known === name);
    if (algorithm === undefined) {
      throw new UsageError(`“${name}” is not a known algorithm`, `There are ${HASH_ALGORITHMS.join(', ')}`);
    }
    const user = given.text('user') ?? null;
    if (user !== null && /[:\0-\x1f\x7f]/.test(user)) {
      throw new UsageError(`“${user}” is not a name of a user: it has no colons and control characters`, EXAMPLE);
    }
    return { algorithm, user };
  },
  run: async (options, io) => (await import('../hash-password.ts')).hashPassword(options, io),
};
