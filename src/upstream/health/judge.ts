import { isExpected } from './expectation.ts';
import { grpcVerdict } from './grpc-health.ts';
import type { ProbeDefinition } from './probe-definition.ts';
import type { ProbeResult } from './probe-sender.ts';
import type { ProbeOutcome } from './probe-state.ts';

export type Judged = Omit<ProbeOutcome, 'elapsedMs'>;

/** Does this answer mean health? With the reason why, which is enumerated. */
export function judge({ expectation, body }: ProbeDefinition, result: ProbeResult): Judged {
  switch (result.kind) {
    case 'failed':
      return { healthy: false, reason: result.error.reason, status: null };
    case 'connected':
      return { healthy: true, reason: 'connected', status: null };
    case 'called':
      return { ...grpcVerdict(result), status: result.status };
  }
  const { status } = result;
  if (!isExpected(expectation, status)) return { healthy: false, reason: 'unexpected-status', status };
  if (body === null) return { healthy: true, reason: 'expected-status', status };
  return body.holds(result.body ?? '')
    ? { healthy: true, reason: 'expected-body', status }
    : { healthy: false, reason: 'unexpected-body', status };
}
