import {
  atAddresses,
  distinctEndpoints,
  type FoundEndpoint,
  type ListedEndpoint,
  MOST_ENDPOINTS,
  nameToResolve,
  placeText,
} from '../../upstream/discovery/listed-endpoint.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { Absence, Pool } from '../../upstream/pool.ts';
import type { DockerOptions } from './docker-listing.ts';
import type { Listing, Source } from './source.ts';
import type { SrvOptions } from './srv-listing.ts';
import type { NameOptions, WatchedName } from './watched-name.ts';

/** What lists endpoints. */
export type ListingOptions =
  | ({ readonly kind: 'srv' } & SrvOptions)
  | { readonly kind: 'file'; readonly path: string }
  | ({ readonly kind: 'docker' } & DockerOptions);

/** Endpoints that are listed in one way, and how the names among them are resolved. */
export interface Listed {
  readonly entries: readonly ListedEndpoint[] | ListingOptions;
  readonly names: NameOptions;
}

/** A pool whose members are found while the gateway runs. */
export interface Membership {
  readonly pool: Pool;
  readonly listed: readonly Listed[];
  readonly make: (found: FoundEndpoint) => Endpoint;
  /** Those that the pool has now. */
  members: Members;
}

/** The members of a pool, by all that was found out of them. */
export type Members = ReadonlyMap<string, Endpoint>;

/** Where the sources that a membership needs come from. */
export interface Sources {
  listing(options: ListingOptions, names: NameOptions): Listing;
  name(name: string, options: NameOptions): WatchedName;
}

/** What is known now of who belongs to a pool. */
export interface Known {
  readonly endpoints: readonly FoundEndpoint[];
  /** Endpoints that there is no room for. */
  readonly dropped: number;
  /** Everything that was asked; what is not in here any more needs not be asked again. */
  readonly sources: ReadonlySet<Source>;
  /** Why there are none; `null` when there are. */
  readonly absence: Absence | null;
}

/** Asks nobody; what is not known yet is not there. `from`: `null` for what the configuration alone says. */
export function knownOf(listed: readonly Listed[], from: Sources | null): Known {
  const sources = new Set<Source>();
  const found: FoundEndpoint[] = [];
  for (const { entries, names } of listed) {
    for (const entry of entriesOf(entries, { names, from, sources })) {
      const name = nameToResolve(entry.address);
      if (name === null) {
        found.push({ ...entry, name: null });
        continue;
      }
      if (from === null) continue;
      const watched = from.name(name, names);
      sources.add(watched);
      found.push(...atAddresses(entry, watched.addresses));
    }
  }
  const { endpoints, dropped } = distinctEndpoints(found);
  return { endpoints, dropped, sources, absence: endpoints.length === 0 ? absenceOf(sources) : null };
}

function entriesOf(
  entries: Listed['entries'],
  { names, from, sources }: { names: NameOptions; from: Sources | null; sources: Set<Source> },
): readonly ListedEndpoint[] {
  if (!('kind' in entries)) return entries;
  if (from === null) return [];
  const listing = from.listing(entries, names);
  sources.add(listing);
  // No more names are resolved than a pool has room for.
  return listing.entries.slice(0, MOST_ENDPOINTS);
}

function absenceOf(sources: ReadonlySet<Source>): Absence {
  for (const { state } of sources)
    if (!state.asked) return { code: 'destination_unavailable', reason: 'discovery-pending' };
  for (const { state } of sources) {
    const { trouble } = state;
    if (trouble === null || !isAboutNames(trouble.reason)) continue;
    return { code: trouble.reason === 'dns-timeout' ? 'dns_timeout' : 'dns_error', reason: 'name-not-resolved' };
  }
  return { code: 'destination_unavailable', reason: 'no-endpoint-known' };
}

function isAboutNames(reason: string): boolean {
  return reason.startsWith('dns-') || reason === 'no-such-name' || reason === 'no-address';
}

/** An endpoint for each; of those that are the same as before, the same object: exchanges under way know by it where they were. */
export function membersOf(
  found: readonly FoundEndpoint[],
  make: (found: FoundEndpoint) => Endpoint,
  before: Members,
): Members {
  return new Map(
    found.map((endpoint) => {
      const { address, weight, priority, name } = endpoint;
      const text = `${placeText(address)} ${name} ${weight} ${priority}`;
      return [text, before.get(text) ?? make(endpoint)];
    }),
  );
}
