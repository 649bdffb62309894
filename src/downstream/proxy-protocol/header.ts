import { parseV1 } from './v1.ts';
import { parseV2, SIGNATURE } from './v2.ts';

/** TLS that the client spoke to the proxy, as a version 2 header tells it (PP2_TYPE_SSL, PP2_TYPE_AUTHORITY). */
export interface ProxiedTls {
  readonly serverName: string | null;
  readonly protocol: string;
  readonly cipher: string;
}

export interface ProxiedEnd {
  /** IP address as it was written, or `unix:`. */
  readonly address: string;
  readonly port: number;
}

/** What a PROXY header says of its connection. */
export type ProxyHeader =
  /** The proxy's own connection, or one whose ends it can't tell: those of the TCP connection count. */
  | { readonly kind: 'local' }
  | {
      readonly kind: 'relayed';
      readonly source: ProxiedEnd;
      /** Where the client connected to; `null` when that was a Unix socket. */
      readonly destination: ProxiedEnd | null;
      readonly tls: ProxiedTls | null;
    };

/** Why a connection that must begin with a PROXY header was closed. */
export type ProxyRefusal =
  /** Its first bytes are something else. */
  | 'proxy-header-missing'
  | 'proxy-header-malformed'
  /** A binary header of another version than 2. */
  | 'proxy-header-version'
  | 'proxy-header-too-long'
  /** PP2_TYPE_CRC32C is that of other bytes. */
  | 'proxy-header-checksum'
  | 'proxy-header-timeout'
  /** The connection ended within it. */
  | 'proxy-header-incomplete';

export type ProxyParse =
  /** `length` bytes of the connection are the header. */
  | { readonly kind: 'header'; readonly header: ProxyHeader; readonly length: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'refused'; readonly reason: ProxyRefusal };

/**
 * Reads the PROXY header that `bytes`, the beginning of a connection, must start with (proxy-protocol.txt §2). Either version;
 * whatever is not exactly one is refused as soon as it can be told. Asks for more within 4096 bytes only.
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyParse {
  if (bytes.length === 0) return { kind: 'more' };
  return bytes[0] === SIGNATURE[0] ? parseV2(bytes) : parseV1(bytes);
}
