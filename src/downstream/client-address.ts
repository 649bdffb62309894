import { BlockList, isIP, type Socket, SocketAddress } from 'node:net';
import type { Client, TlsFacts } from '../exchange/exchange.ts';
import { UNIX_PEER } from '../http/forwarded.ts';
import { forwardedElements } from '../http/forwarded-elements.ts';
import { getCombined, type HeaderList } from '../http/headers.ts';
import type { ProxyHeader } from './proxy-protocol/header.ts';

/** Proxies that are believed, and in which field they are. */
export interface TrustOptions {
  /** Addresses, networks, and `unix:` for whoever may connect to a Unix socket. */
  readonly trustedProxies: readonly string[];
  readonly forwardedBy: 'x-forwarded-for' | 'forwarded';
}

/** More hops than any real chain has; beyond it the chain is not followed any further. */
const MAX_HOPS = 32;

/**
 * Tells who a client is. A trusted peer's forwarding field is read from right to left, each trusted hop vouching for the
 * one before it, until the first address that is not trusted; text that is no address ends it at the last good hop.
 */
export class ClientAddresses {
  readonly #trusted: BlockList | null;
  readonly #trustsUnix: boolean;
  readonly #forwardedBy: 'x-forwarded-for' | 'forwarded';

  readonly #overUnix: boolean;

  /** Throws `RangeError` for an entry that is neither an address nor a network nor `unix:`. */
  constructor(options: TrustOptions, over: 'tcp' | 'unix' = 'tcp') {
    this.#overUnix = over === 'unix';
    const networks = options.trustedProxies.filter((entry) => entry !== UNIX_PEER);
    this.#trusted = networks.length === 0 ? null : networksOf(networks);
    this.#trustsUnix = networks.length < options.trustedProxies.length;
    this.#forwardedBy = options.forwardedBy;
  }

  /**
   * The client of every request on `socket`, unless its peer is trusted: then `forRequest` makes one per request. With the
   * PROXY header that a trusted peer began with, the connection is the one that it tells of, trust included.
   */
  ofConnection(socket: Socket, tls: TlsFacts | null, proxied: ProxyHeader | null = null): Client {
    if (proxied?.kind === 'relayed') return this.#ofRelayed(socket, tls, proxied);
    const peer = this.peerOf(socket);
    return {
      address: peer,
      peer,
      peerPort: socket.remotePort ?? 0,
      trusted: this.isTrusted(peer),
      localAddress: canonicalAddress(socket.localAddress ?? ''),
      localPort: socket.localPort ?? 0,
      tls,
      forwardedBy: this.#forwardedBy,
    };
  }

  #ofRelayed(socket: Socket, tls: TlsFacts | null, { source, destination, ...said }: Relayed): Client {
    const peer = canonicalAddress(source.address);
    return {
      address: peer,
      peer,
      peerPort: source.port,
      trusted: this.isTrusted(peer),
      localAddress: canonicalAddress(destination?.address ?? socket.localAddress ?? ''),
      localPort: destination?.port ?? socket.localPort ?? 0,
      // TLS that is terminated here is what the client spoke; else what it spoke to the proxy.
      tls: tls ?? (said.tls === null ? null : { ...said.tls, clientCertificate: null, refusal: null }),
      forwardedBy: this.#forwardedBy,
    };
  }

  /** Free of cost for a peer that is not trusted: it is the connection's client itself. */
  forRequest(connection: Client, headers: HeaderList): Client {
    if (!connection.trusted) return connection;
    const field = getCombined(headers, this.#forwardedBy);
    if (field === null) return connection;
    const address = this.#clientOf(connection.peer, this.#hopsOf(field));
    return address === connection.address ? connection : { ...connection, address };
  }

  /** Address of the peer of an accepted socket; empty when it left before it could be asked for. */
  peerOf(socket: Socket): string {
    return this.#overUnix ? UNIX_PEER : canonicalAddress(socket.remoteAddress ?? '');
  }

  isTrusted(address: string): boolean {
    if (this.#trustsUnix && address === UNIX_PEER) return true;
    if (this.#trusted === null) return false;
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /** Empty elements of a list say nothing (RFC 9110 §5.6.1.2); a Forwarded element without `for` does: it names nobody. */
  #hopsOf(field: string): readonly string[] {
    if (this.#forwardedBy === 'forwarded') return forwardedElements(field).map((element) => element.for);
    return field.split(',').filter((hop) => hop.trim() !== '');
  }

  #clientOf(peer: string, hops: readonly string[]): string {
    let client = peer;
    const last = Math.max(0, hops.length - MAX_HOPS);
    for (let i = hops.length - 1; i >= last; i -= 1) {
      const address = addressOf(hops[i] as string);
      if (address === null) return client;
      client = address;
      if (!this.isTrusted(address)) return client;
    }
    return client;
  }
}

type Relayed = Extract<ProxyHeader, { kind: 'relayed' }>;

/**
 * Canonical text of an IP address (RFC 5952), so that one address is one text in rules, logs and hashes: IPv4-mapped IPv6
 * becomes IPv4, a zone (`%eth0`) is cut off. Other text stays as it is.
 */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const text = zone === -1 ? address : address.slice(0, zone);
  if (isIP(text) !== 6) return text;
  const canonical = new SocketAddress({ address: text, family: 'ipv6' }).address;
  return isIP(canonical.slice(7)) === 4 && canonical.startsWith('::ffff:') ? canonical.slice(7) : canonical;
}

/**
 * What counts as one client where connections are counted: an IPv4 address, or the /64 network of an IPv6 address, since
 * every subscriber has one of those and may use any of its addresses (RFC 6177).
 */
export function subscriberOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after] = address.split('::');
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  while (after !== undefined && head.length + tail.length < 8) head.push('0');
  return `${head.concat(tail).slice(0, 4).join(':')}::/64`;
}

/** `192.0.2.7`, `192.0.2.7:4711`, `[2001:db8::1]`, `[2001:db8::1]:4711`, `2001:db8::1`; `null` for anything else. */
export function addressOf(hop: string): string | null {
  const text = hop.trim();
  let host = text;
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    if (end === -1 || !isPortSuffix(text.slice(end + 1))) return null;
    host = text.slice(1, end);
    if (isIP(host) !== 6) return null;
  } else if (isIP(text) === 0) {
    const colon = text.indexOf(':');
    if (colon === -1 || !isPortSuffix(text.slice(colon))) return null;
    host = text.slice(0, colon);
  }
  return isIP(host) === 0 ? null : canonicalAddress(host);
}

function isPortSuffix(text: string): boolean {
  // RFC 7239 §6.3: a port may be obfuscated, too.
  return text === '' || /^:(?:\d{1,5}|_[A-Za-z0-9._-]+)$/.test(text);
}

function networksOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix, ...rest] = entry.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || rest.length > 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32)) {
      throw new RangeError(`Cannot trust "${entry}": it is neither an address nor a network`);
    }
    list.addSubnet(address, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
