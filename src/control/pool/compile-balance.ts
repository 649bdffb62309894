import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import { type BalanceMethod, type Balancing, balancingOf } from '../../upstream/balance/balancing.ts';
import type { Ledger } from '../ledger.ts';

/** How the pool `name` picks its endpoints, going on where a pool of that name was. */
export function compileBalance(name: string, { balance }: PoolConfig, ledger: Ledger): Balancing {
  const { clock, random } = ledger.upstream;
  return balancingOf(methodOf(balance), { cursor: ledger.pool(name), clock, random });
}

function methodOf(balance: PoolConfig['balance']): BalanceMethod {
  if (typeof balance === 'object') return { hash: balance.hash, load: balance.load ?? null };
  return balance === 'source-ip' ? { hash: 'client', load: null } : balance;
}
