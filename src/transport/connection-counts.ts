/** What has become of the connections of one connection key, since it is in use. */
export interface ConnectionTraffic {
  /** Connections made, the handshakes of TLS and HTTP/2 included. */
  readonly opened: number;
  /** Requests begun on a connection that had carried one before. */
  readonly reused: number;
  /** Idle connections closed before the endpoint would have: each a race that was not run. */
  readonly retired: number;
  /** Requests on a reused connection that the endpoint closed without a byte of response. */
  readonly racesLost: number;
  /** Time that it took to make the connections, in all. */
  readonly connectMs: number;
  /** Connections that could not be made, by reason (docs/errors.md). */
  readonly failures: ReadonlyMap<string, number>;
}

/** Tells it by connection key. */
export interface TrafficSource {
  /** `null` for a key that is not in use. */
  traffic(connectionKey: string): ConnectionTraffic | null;
}

/** Of two protocols to the same endpoint. */
export function sumOf(one: ConnectionTraffic, two: ConnectionTraffic): ConnectionTraffic {
  const failures = new Map(one.failures);
  for (const [reason, count] of two.failures) failures.set(reason, (failures.get(reason) ?? 0) + count);
  return {
    opened: one.opened + two.opened,
    reused: one.reused + two.reused,
    retired: one.retired + two.retired,
    racesLost: one.racesLost + two.racesLost,
    connectMs: one.connectMs + two.connectMs,
    failures,
  };
}

/** Counts for `ConnectionTraffic`: plain numbers, read when somebody asks. */
export class ConnectionCounts implements ConnectionTraffic {
  opened = 0;
  reused = 0;
  retired = 0;
  racesLost = 0;
  connectMs = 0;
  /** As many keys as there are reasons. */
  readonly failures = new Map<string, number>();

  made(tookMs: number): void {
    this.opened += 1;
    this.connectMs += tookMs;
  }

  failed(reason: string): void {
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1);
  }
}
