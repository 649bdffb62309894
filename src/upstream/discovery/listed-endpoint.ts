import type { EndpointAddress } from '../endpoint.ts';

/** One endpoint as configuration, a file, SRV records or Docker list it. Its host may be a name. */
export interface ListedEndpoint {
  readonly address: EndpointAddress;
  /** Share of traffic, 0–1000. */
  readonly weight: number;
  /** 0–100, 0 first. */
  readonly priority: number;
}

/** The same at one address. */
export interface FoundEndpoint extends ListedEndpoint {
  /** The name that led to the address, which TLS and `Host` go by; `null` where an address was listed. */
  readonly name: string | null;
}

/** A pool has no more endpoints than this; what a source lists beyond is left out. */
export const MOST_ENDPOINTS = 1024;

/**
 * The name to resolve before `address` can be connected to; `null` for an IP address, a Unix socket, and `localhost` with
 * everything below it, which is this machine whatever a resolver says (RFC 6761 §6.3): both loopback addresses are one endpoint,
 * and each connection goes to the one that listens.
 */
export function nameToResolve(address: EndpointAddress): string | null {
  if ('socketPath' in address) return null;
  const name = address.host.toLowerCase().replace(/\.$/, '');
  if (name.includes(':') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) return null;
  return name === 'localhost' || name.endsWith('.localhost') ? null : name;
}

/** `listed` at each of the addresses of its name, in their order. */
export function atAddresses(listed: ListedEndpoint, addresses: readonly string[]): FoundEndpoint[] {
  const { address, weight, priority } = listed;
  if ('socketPath' in address) return [{ address, weight, priority, name: null }];
  const name = address.host.toLowerCase().replace(/\.$/, '');
  return addresses.map((host) => ({ address: { ...address, host }, weight, priority, name }));
}

/** Where an address leads: two with the same text are one place. `http://10.0.0.1 3000`, `unix:/run/app.sock`. */
export function placeText(address: EndpointAddress): string {
  if ('socketPath' in address) return `unix:${address.socketPath}`;
  return `${address.secure ? 'https' : 'http'}://${address.host.toLowerCase()} ${address.port}`;
}

/** All that is said of an endpoint, as text to compare and to sort by: priority first. */
export function listedText({ address, weight, priority }: ListedEndpoint): string {
  return [priority, placeText(address), weight].join(' ');
}

/**
 * Each place once, the first time it is listed, and at most `MOST_ENDPOINTS` of them. `dropped` counts what is beyond that.
 */
export function distinctEndpoints(found: readonly FoundEndpoint[]): {
  readonly endpoints: readonly FoundEndpoint[];
  readonly dropped: number;
} {
  const places = new Map<string, FoundEndpoint>();
  for (const endpoint of found) {
    const place = placeText(endpoint.address);
    if (!places.has(place)) places.set(place, endpoint);
  }
  const endpoints = [...places.values()];
  return { endpoints: endpoints.slice(0, MOST_ENDPOINTS), dropped: Math.max(0, endpoints.length - MOST_ENDPOINTS) };
}
