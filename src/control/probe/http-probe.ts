import type { Transport } from '../../exchange/attempt.ts';
import type { ProbeRequest, ProbeResult } from '../../upstream/health/probe-sender.ts';
import { sendProbe } from './probe-receiver.ts';

/** A check by a request. */
export function requestOnce(
  transport: Transport,
  request: Extract<ProbeRequest, { readonly type: 'http' }>,
  done: (result: ProbeResult) => void,
): { cancel(): void } {
  const { destination, method, target, headers, wantsBody } = request;
  const reading = {
    wantsBody: (status: number) => wantsBody?.(status) === true,
    result: ({ head: { status }, body }: { head: { readonly status: number }; body: Buffer }): ProbeResult => ({
      kind: 'answered',
      status,
      body: wantsBody === null ? null : body.toString(),
    }),
  };
  return sendProbe(transport, { destination, method, target, headers, body: null }, { reading, done });
}
