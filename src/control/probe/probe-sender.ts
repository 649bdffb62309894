import type { Transport } from '../../exchange/attempt.ts';
import type { StreamTransport } from '../../exchange/stream.ts';
import type { ProbeSender } from '../../upstream/health/probe-sender.ts';
import { callHealth } from './grpc-probe.ts';
import { requestOnce } from './http-probe.ts';
import { connectOnce } from './tcp-probe.ts';

/** Sends health checks over the transports that also carry traffic. */
export function probeSender(transport: Transport, streams: StreamTransport): ProbeSender {
  return {
    probe: (request, done) => {
      if (request.type === 'tcp') return connectOnce(streams, request, done);
      return request.type === 'grpc' ? callHealth(transport, request, done) : requestOnce(transport, request, done);
    },
  };
}
