import type { DnsConfig } from '../../config/schema/dns.ts';
import type { DiscoverConfig } from '../../config/schema/pool/discover.ts';
import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import { type ListedEndpoint, nameToResolve } from '../../upstream/discovery/listed-endpoint.ts';
import type { Listed, ListingOptions } from '../discovery/membership.ts';
import type { NameOptions } from '../discovery/watched-name.ts';

/** Everything that lists endpoints of the pool `name`, its own configuration first. */
export function compileDiscovery(name: string, config: PoolConfig, dns: DnsConfig): readonly Listed[] {
  const names = nameOptions(dns, {});
  const own: Listed = { entries: config.endpoints, names };
  const { discover } = config;
  if (discover === undefined) return [own];
  const isByName = 'dns' in discover || 'srv' in discover;
  return [own, { entries: listingOf(name, discover), names: isByName ? nameOptions(dns, discover) : names }];
}

/** Is there anything to find out, or does the configuration say it all? */
export function isStatic(listed: readonly Listed[]): boolean {
  return listed.every(({ entries }) => {
    return !('kind' in entries) && entries.every(({ address }) => nameToResolve(address) === null);
  });
}

function listingOf(pool: string, discover: DiscoverConfig): readonly ListedEndpoint[] | ListingOptions {
  if ('dns' in discover) return [{ address: discover.dns, weight: 1, priority: 0 }];
  if ('srv' in discover) {
    const service = discover.srv.toLowerCase().replace(/\.$/, '');
    return { kind: 'srv', service, secure: discover.scheme === 'https' };
  }
  if ('file' in discover) return { kind: 'file', path: discover.file };
  const { socket, label, port, network, scheme } = discover.docker;
  return {
    kind: 'docker',
    at: socket,
    label: label ?? `headgate.pool=${pool}`,
    port: port ?? null,
    network: network ?? null,
    secure: scheme === 'https',
  };
}

/** What a pool says of names comes before what is said for all. */
function nameOptions(all: DnsConfig, own: OwnDns): NameOptions {
  return {
    family: own.family ?? all.family,
    servers: own.resolvers ?? all.resolvers ?? [],
    rules: {
      minMs: own.refresh?.min ?? all.refresh.min,
      maxMs: own.refresh?.max ?? all.refresh.max,
      staleMs: own.stale ?? all.stale ?? null,
      goneMs: own.gone ?? all.gone,
    },
  };
}

type OwnDns = Omit<Extract<DiscoverConfig, { readonly dns: unknown }>, 'dns'>;
