import type { BasicAuthConfig } from '../../config/schema/policy/auth-basic.ts';
import type { Authenticator } from '../../policy/auth/authenticator.ts';
import { basicAuthenticator } from '../../policy/auth/basic.ts';
import { PASSWORDS_ID, Passwords } from '../../policy/auth/passwords.ts';
import { parseHtpasswd, type UserTable, userTable } from '../../policy/auth/user-table.ts';
import type { PolicyContext } from './policy-kind.ts';
import { ThreadHasher } from './thread-hasher.ts';

/** `auth.basic`. */
export function basicWay(config: BasicAuthConfig, context: PolicyContext): Authenticator | null {
  const users = config.file === undefined ? inlineUsers(config.users ?? {}, context) : usersOf(config.file, context);
  if (users === null) return null;
  const { clock, observer } = context.world;
  const { realm, forwardCredentials, cacheFor: rightForMs } = config;
  // One thread and one memory for all: what is verified is hashes, whoever asks for it.
  const passwords = context.state(PASSWORDS_ID, () => new Passwords({ clock, observer, hasher: new ThreadHasher() }));
  return basicAuthenticator({ realm, users, passwords, rightForMs, forwardCredentials });
}

function usersOf(file: string, context: PolicyContext): (() => UserTable) | null {
  const kept = context.file(file, ['file'], parseHtpasswd);
  return kept === null ? null : () => kept.current;
}

function inlineUsers(users: Readonly<Record<string, string>>, context: PolicyContext): (() => UserTable) | null {
  let isSound = true;
  const table = userTable(users, (user, message) => {
    isSound = false;
    context.complain(['users', user], { message });
  });
  return isSound ? () => table : null;
}
