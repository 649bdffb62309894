import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { Affinity } from '../../upstream/affinity/affinity.ts';
import { InsertedCookie } from '../../upstream/affinity/inserted-cookie.ts';
import { LearnedSession } from '../../upstream/affinity/learned-session.ts';
import { type SessionSource, sessionCookie, sessionHeader } from '../../upstream/affinity/session-source.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { Ledger } from '../ledger.ts';

type AffinityConfig = NonNullable<PoolConfig['affinity']>;

/** Makes the sessions of a pool, whoever its members are; `null` for a pool without. */
export function compileAffinity(
  name: string,
  { affinity }: PoolConfig,
  ledger: Ledger,
): ((endpoints: readonly Endpoint[]) => Affinity) | null {
  if (affinity === undefined) return null;
  const source = sourceOf(affinity);
  if (source === null) {
    const options = cookieOptions(name, affinity, ledger);
    return (endpoints) => new InsertedCookie(options, endpoints);
  }
  const table = ledger.sessions(name, { capacity: affinity.sessions, idleMs: affinity.idle });
  return (endpoints) => new LearnedSession(source, table, endpoints);
}

function sourceOf({ learn, header }: AffinityConfig): SessionSource | null {
  if (learn !== undefined) return sessionCookie(learn);
  return header === undefined ? null : sessionHeader(header);
}

function cookieOptions(name: string, affinity: AffinityConfig, ledger: Ledger) {
  return {
    // One for each pool: two sticky pools on one host would overwrite a common cookie in turn.
    cookie: affinity.cookie ?? `headgate-${name}`,
    secrets: affinity.secret ?? [ledger.affinitySecret(name)],
    path: affinity.path,
    domain: affinity.domain ?? null,
    secure: affinity.secure,
    httpOnly: affinity.httpOnly,
    sameSite: affinity.sameSite,
    // 0 is none, not the Max-Age that would remove the cookie at once.
    maxAgeMs: affinity.maxAge || null,
  };
}
