import type { ConnectionLimits, Destination, ProxyProtocolVersion, UpstreamProtocol } from '../exchange/attempt.ts';
import type { KeyPair } from '../exchange/certificate.ts';
import type { EndpointLive } from './endpoint-live.ts';
import type { ProbeState } from './health/probe-state.ts';
import { connectionKey, type EndpointId, endpointId } from './identity.ts';

/** One address of one pool. Immutable but for `live` and `probe`, which outlive the snapshot. */
export interface Endpoint {
  readonly id: EndpointId;
  /** `http://10.0.0.1:3000`: scheme, lower-case host, and the port unless it is the scheme's default; `unix:/run/app.sock`. */
  readonly origin: string;
  /** `10.0.0.1:3000`, or `api.internal:3000` for an address of that name; for `Host`. `localhost` for a Unix socket. */
  readonly authority: string;
  /** The name that led to this address; `null` where the address itself was given. */
  readonly name: string | null;
  /** Share of traffic by configuration, 0–1000; 0 takes sticky sessions only. `weightOf` says what it is now. */
  readonly weight: number;
  /** 0 first; others get what those before them can't take. */
  readonly priority: number;
  readonly destination: Destination;
  readonly live: EndpointLive;
  /** Result of the active checks, or `null` when the pool has none: then it counts as healthy. */
  readonly probe: ProbeState | null;
}

/** An address as configuration gives it: `host` without brackets, or the file of a Unix socket. */
export type EndpointAddress =
  | { readonly secure: boolean; readonly host: string; readonly port: number }
  | { readonly socketPath: string };

/** TLS settings of a pool. `serverName` is the endpoint's own host unless given; `ca` is PEM text, not a file name. */
export interface EndpointTls {
  readonly serverName: string | null;
  readonly ca: string | null;
  readonly insecure: boolean;
  /** Default none. */
  readonly identity?: KeyPair | null;
}

/** What everything else about an endpoint derives from. `id` is what the ledger keeps its live state under. */
export interface Place {
  readonly id: EndpointId;
  readonly origin: string;
  readonly authority: string;
  readonly name: string | null;
  readonly destination: Destination;
}

export interface PlaceOptions {
  readonly address: EndpointAddress;
  /** What `Host` and TLS go by in place of the host of `address`, because that was resolved from it. */
  readonly name?: string | null;
  /** Used for `https` addresses only. */
  readonly tls: EndpointTls;
  /** Default `http1`. */
  readonly protocol?: UpstreamProtocol;
  readonly limits: ConnectionLimits;
  /** None unless given. */
  readonly proxyProtocol?: ProxyProtocolVersion | undefined;
}

/** Names the place of one endpoint of `pool`: its identities and how to reach it. Compile time only. */
export function placeOf(pool: string, options: PlaceOptions): Place {
  const { limits, protocol = 'http1', proxyProtocol = null, name = null } = options;
  const { origin, authority, ...reached } = reachedAt(options);
  return {
    id: endpointId(pool, origin, name),
    origin,
    authority,
    name,
    destination: {
      connectionKey: connectionKey(origin, { tls: reached.tls, protocol, proxyProtocol }),
      ...reached,
      protocol,
      proxyProtocol,
      limits,
    },
  };
}

type Reached = Pick<Place, 'origin' | 'authority'> & Pick<Destination, 'host' | 'port' | 'socketPath' | 'tls'>;

function reachedAt({ address, tls, name = null }: PlaceOptions): Reached {
  if ('socketPath' in address) {
    const { socketPath } = address;
    return { origin: `unix:${socketPath}`, authority: 'localhost', host: 'localhost', port: 80, socketPath, tls: null };
  }
  const host = address.host.toLowerCase();
  const port = address.port === (address.secure ? 443 : 80) ? '' : `:${address.port}`;
  // RFC 6874 §4: which interface leads there is this machine's own affair, and goes into no message.
  const unzoned = name ?? (host.split('%')[0] as string);
  return {
    origin: `${address.secure ? 'https' : 'http'}://${literal(host)}${port}`,
    authority: `${literal(unzoned)}${port}`,
    host,
    port: address.port,
    socketPath: null,
    tls: address.secure ? { ...tls, serverName: tls.serverName ?? unzoned } : null,
  };
}

function literal(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Passes its active checks or has none, and was not put aside for what it did to requests. */
export function isHealthy({ probe, live }: Endpoint): boolean {
  return (probe === null || probe.up) && !live.ejected && !live.tripped;
}

/** Share of the traffic that it has now. */
export function weightOf({ weight, live }: Endpoint): number {
  return (live.weight ?? weight) * live.ramp;
}

/** Meant to take new work: not taken out by hand, and with a share of the traffic. */
export function isInService(endpoint: Endpoint): boolean {
  return weightOf(endpoint) > 0 && endpoint.live.standing === 'enabled';
}

/** May it be given new work? */
export function isAvailable(endpoint: Endpoint): boolean {
  return isInService(endpoint) && isHealthy(endpoint);
}
