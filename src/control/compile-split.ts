import type { RouteConfig } from '../config/schema/route.ts';
import type { SplitConfig, StickyConfig } from '../config/schema/split.ts';
import { SignedCookie } from '../upstream/affinity/signed-cookie.ts';
import { readKey } from '../upstream/balance/hash-key.ts';
import type { Pool } from '../upstream/pool.ts';
import { Split, type Stickiness } from '../upstream/split.ts';
import type { Complaints, KeyPath } from './complaints.ts';
import type { PoolsByName } from './kept-parts.ts';
import type { Ledger } from './ledger.ts';

export interface SplitContext {
  readonly pools: PoolsByName;
  readonly complaints: Complaints;
  readonly ledger: Ledger;
  /** Of the route. */
  readonly path: KeyPath;
}

/** Compiles the split of a route; `null` after a complaint. */
export function compileSplit(
  config: SplitConfig,
  sticky: StickyConfig | undefined,
  context: SplitContext,
): Split | null {
  const { pools, complaints, ledger, path } = context;
  const before = complaints.count;
  if (config.every(({ weight }) => weight === 0)) {
    complaints.add([...path, 'split'], {
      message: 'no pool of this split has a weight above 0: it would lead nowhere',
    });
  }
  const names = config.map(({ pool }) => pool);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue;
    const message = `pool “${name}” is in this split already`;
    complaints.add([...path, 'split', index, 'pool'], { code: 'HG0104', message });
  }
  // An unknown name was refused when the configuration was loaded.
  const branches = config.flatMap(({ pool: name, weight }) => {
    const pool = pools.get(name);
    return pool === undefined ? [] : [{ pool, weight }];
  });
  if (complaints.count > before || branches.length < config.length) return null;
  const members = branches.map(({ pool }) => pool);
  return new Split(branches, stickinessOf(config, sticky, { members, ledger }), ledger.upstream.random);
}

function stickinessOf(
  config: SplitConfig,
  sticky: StickyConfig | undefined,
  { members, ledger }: { readonly members: readonly Pool[]; readonly ledger: Ledger },
): Stickiness | null {
  if (sticky === undefined) return null;
  if (sticky !== true && 'by' in sticky) return { kind: 'key', read: readKey(sticky.by) };
  const given = sticky === true ? null : sticky.insert;
  const name = cookieOf(config, sticky);
  const cookie = new SignedCookie(
    {
      cookie: name,
      secrets: given?.secret ?? [ledger.splitSecret(name)],
      path: given?.path ?? '/',
      domain: given?.domain ?? null,
      secure: given?.secure ?? 'auto',
      httpOnly: given?.httpOnly ?? true,
      sameSite: given?.sameSite ?? 'lax',
      // 0 is none, not the Max-Age that would remove the cookie at once.
      maxAgeMs: given?.maxAge || null,
    },
    members.map((pool) => [`split:${pool.name}`, pool]),
  );
  return { kind: 'cookie', cookie };
}

/** One for the same pools: a client that one route has sent to the new version gets it from the others too. */
function cookieOf(config: SplitConfig, sticky: StickyConfig): string {
  const given = sticky === true || 'by' in sticky ? undefined : sticky.insert.cookie;
  return (
    given ??
    `headgate-split-${config
      .map(({ pool }) => pool)
      .sort()
      .join('.')}`
  );
}

/** Names of the cookies that these routes insert. */
export function splitCookies(routes: readonly RouteConfig[]): ReadonlySet<string> {
  return new Set(
    routes.flatMap(({ split, sticky }) =>
      split === undefined || sticky === undefined || (sticky !== true && 'by' in sticky)
        ? []
        : [cookieOf(split, sticky)],
    ),
  );
}
