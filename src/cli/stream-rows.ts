import type { Config } from '../config/schema/config.ts';

/** Where a listener sends connections as they are. */
export interface StreamRow {
  readonly listener: string;
  /** For people: `sni shop.example, *.shop.example`, or `every other connection`. */
  readonly match: string;
  readonly pool: string;
  /** Server names it is told by; `null` for every one. */
  readonly names: readonly string[] | null;
}

/** Everything that is forwarded undecrypted and unread, a row for each way, in the order of the files. */
export function streamRows({ listeners }: Pick<Config, 'listeners'>): readonly StreamRow[] {
  return Object.entries(listeners).flatMap(([listener, { passthrough, pool }]) => {
    const named = passthrough.map(({ sni, pool: to }) => ({
      listener,
      match: `sni ${sni.join(', ')}`,
      pool: to,
      names: sni,
    }));
    if (pool === undefined) return named;
    const match = named.length === 0 ? 'every connection' : 'every other connection';
    return [...named, { listener, match, pool, names: null }];
  });
}
