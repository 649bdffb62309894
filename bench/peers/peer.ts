import type { Command } from '../processes.ts';

export interface Place {
  /** Scratch directory for configurations, caches and logs. */
  readonly directory: string;
  readonly originPort: number;
  readonly certificate: string;
  readonly key: string;
}

/** Ports of a proxy; `null` where it has no such thing. */
export interface Ports {
  readonly http: number | null;
  /** TLS, with HTTP/2 where `http2` says so. */
  readonly https: number | null;
  readonly cached: number | null;
  readonly cachedSecure: number | null;
}

export interface Peer extends Ports {
  readonly name: string;
  /** Programs that must be installed. */
  readonly needs: readonly string[];
  /** Prints its version, on whichever output; `null` for what is a package of Node. */
  readonly version: readonly [string, ...string[]] | null;
  readonly http2: boolean;
  /** Configured for many idle connections at once, and for attacks. */
  readonly crowded: boolean;
  /**
   * One worker. All log each request to a file that is called `*.log` in the directory of the place, where they can, tell the endpoint
   * of the client (`X-Forwarded-For`, `-Proto`, `-Host`), and look after the health of the endpoint, where they can.
   */
  command(place: Place): Command;
}

/** Enough for the idle connections of `idle.ts`, within the 20 000 descriptors that a process has on many machines. */
export const MAX_CONNECTIONS = 19_500;
