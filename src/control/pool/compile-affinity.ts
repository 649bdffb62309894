import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { Affinity } from '../../upstream/affinity/affinity.ts';
import { InsertedCookie } from '../../upstream/affinity/inserted-cookie.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { Ledger } from '../ledger.ts';

/** Makes the sessions of a pool, whoever its members are; `null` for a pool without. */
export function compileAffinity(
  name: string,
  config: PoolConfig,
  ledger: Ledger,
): ((endpoints: readonly Endpoint[]) => Affinity) | null {
  const { affinity } = config;
  if (affinity === undefined) return null;
  const options = {
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
  return (endpoints) => new InsertedCookie(options, endpoints);
}
