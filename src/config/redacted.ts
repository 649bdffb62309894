import { stringify } from 'yaml';
import type { Config } from './schema/config.ts';

/** The configuration as it is understood, every default filled in, without what must not be shown. */
export function redacted(config: Config): Config {
  const pools = Object.entries(config.pools).map(([name, pool]) => {
    if (pool.affinity?.secret === undefined) return [name, pool] as const;
    return [name, { ...pool, affinity: { ...pool.affinity, secret: '(secret)' } }] as const;
  });
  return { ...config, pools: Object.fromEntries(pools) };
}

/** The same as YAML text. */
export function redactedYaml(config: Config): string {
  return stringify(redacted(config));
}
