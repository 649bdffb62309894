import { adminAccess } from './admin-access.ts';
import { placeOf } from './admin-arguments.ts';
import { askAdmin } from './admin-client.ts';
import type { Environment } from './command.ts';
import type { AskNames } from './complete.ts';

/** Nobody waits longer for a completion. */
const PATIENCE_MS = 1_000;

/** Asks the gateway that a command with these options would ask; nothing, when that does not work. */
export function namesOf(environment: Environment): AskNames {
  return async ({ kind, pool, options }) => {
    try {
      const given = { positionals: [], on: () => false, text: (name: string) => options.get(name), all: () => [] };
      const access = adminAccess(placeOf(given, environment), environment);
      const asked = { method: 'GET', path: '/pools', body: null, patienceMs: PATIENCE_MS } as const;
      const { status, body } = await askAdmin(access, asked);
      return status === 200 ? named(body as readonly Listed[], kind === 'pool' ? null : pool) : [];
    } catch {
      // No gateway, no token, no configuration: there is nothing to complete with, and nobody to tell.
      return [];
    }
  };
}

interface Listed {
  readonly name: string;
  readonly endpoints: readonly { readonly origin: string }[];
}

function named(pools: readonly Listed[], pool: string | null): readonly string[] {
  if (pool === null) return pools.map(({ name }) => name);
  const found = pools.find(({ name }) => name === pool);
  return found?.endpoints.map(({ origin }) => origin.replace(/^http:\/\//, '')) ?? [];
}
