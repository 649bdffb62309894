import type { StreamTransport } from '../exchange/stream.ts';
import type { ConnectionCountsOf } from '../observe/connection-metrics.ts';
import type { TransportByProtocol } from '../transport/by-protocol.ts';
import type { Pool } from '../upstream/pool.ts';

/** Connections to every endpoint, for metrics. Pools that share some are not counted twice: the first has them. */
export function* connectionsOf(
  pools: Iterable<Pool>,
  { transport, streams }: { readonly transport: TransportByProtocol; readonly streams: StreamTransport },
): Iterable<ConnectionCountsOf> {
  const seen = new Set<string>();
  for (const { name: pool, endpoints } of pools) {
    for (const { origin: endpoint, destination } of endpoints) {
      const { connectionKey: key } = destination;
      if (seen.has(key)) continue;
      seen.add(key);
      const { open, busy, queued } = transport.connections(key);
      const carried = streams.connections(key);
      const traffic = transport.traffic(key);
      yield { pool, endpoint, open: open + carried, busy: busy + carried, queued, traffic };
    }
  }
}
