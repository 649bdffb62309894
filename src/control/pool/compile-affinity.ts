import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import { Affinity } from '../../upstream/affinity.ts';
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
    secret: affinity.secret ?? ledger.affinitySecret(name),
    path: affinity.path,
    domain: affinity.domain ?? null,
    secure: affinity.secure,
    httpOnly: affinity.httpOnly,
    sameSite: affinity.sameSite,
    maxAgeMs: affinity.maxAge ?? null,
  };
  return (endpoints) => new Affinity(options, endpoints);
}
