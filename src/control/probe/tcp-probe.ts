import type { Destination } from '../../exchange/attempt.ts';
import type { StreamTransport } from '../../exchange/stream.ts';
import type { ProbeResult } from '../../upstream/health/probe-sender.ts';

/** A check by connecting. A connection that is there is closed at once. */
export function connectOnce(
  streams: StreamTransport,
  { destination }: { readonly destination: Destination },
  done: (result: ProbeResult) => void,
): { cancel(): void } {
  return streams.open(
    { destination, client: null },
    {
      opened: (channel) => {
        channel.source.discard();
        done({ kind: 'connected' });
      },
      failed: (error) => done({ kind: 'failed', error }),
    },
  );
}
