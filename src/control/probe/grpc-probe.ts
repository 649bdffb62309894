import type { Transport } from '../../exchange/attempt.ts';
import { grpcStatusIn } from '../../http/grpc.ts';
import { GRPC_HEALTH_METHOD, healthCheckRequest } from '../../upstream/health/grpc-health.ts';
import type { ProbeRequest, ProbeResult } from '../../upstream/health/probe-sender.ts';
import { BytesSource } from '../bytes-source.ts';
import { type ProbeReading, sendProbe } from './probe-receiver.ts';

/** Servers answer nobody who does not take trailers ("gRPC over HTTP2", Requests). */
const PROTOCOL_FIELDS = ['TE', 'trailers', 'Content-Type', 'application/grpc'];

const reading: ProbeReading = {
  // What is no gRPC may have any body.
  wantsBody: (status) => status === 200,
  result: ({ head, body, trailers }) => ({
    kind: 'called',
    status: head.status,
    // A call that fails at once has everything in its head (Trailers-Only).
    grpcStatus: grpcStatusIn(trailers) ?? grpcStatusIn(head.headers),
    messages: body,
  }),
};

/** A check by a call of the gRPC health protocol. */
export function callHealth(
  transport: Transport,
  request: Extract<ProbeRequest, { readonly type: 'grpc' }>,
  done: (result: ProbeResult) => void,
): { cancel(): void } {
  const { destination, headers, service } = request;
  const body = new BytesSource(healthCheckRequest(service));
  return sendProbe(
    transport,
    { destination, method: 'POST', target: GRPC_HEALTH_METHOD, headers: [...headers, ...PROTOCOL_FIELDS], body },
    { reading, done },
  );
}
