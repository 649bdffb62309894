import type { ExchangeRecord } from '../exchange/outcome.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { passedTrace } from './trace.ts';

const noNotes: readonly string[] = Object.freeze([]);
const noRetries: readonly string[] = Object.freeze([]);

/** Ends an exchange: one record to the observer, the edition unpinned. The caller makes sure that it runs exactly once. */
export function finish(parts: EngineParts, progress: Progress): void {
  const record = recordOf(progress, parts.clock.monotonic());
  progress.over = true;
  progress.release();
  if (record.cache !== null) progress.edition.snapshot.cache.tally.finished(record);
  parts.observer.finished(record);
  progress.edition.unpin();
}

/** What is known of it at its end; `now` is monotonic. */
export function recordOf(progress: Progress, now: number): ExchangeRecord {
  progress.goOn(now);
  const { exchange, sentAt, firstByteAt } = progress;
  const totalMs = now - progress.startedAt;
  return {
    id: progress.requestId,
    request: exchange.request,
    listener: exchange.listener,
    clientAddress: exchange.client.address,
    tls: exchange.client.tls,
    startedAtEpoch: progress.startedAtEpoch,
    status: progress.status,
    grpcStatus: progress.grpcStatus,
    bytesIn: exchange.bytesIn,
    bytesOut: exchange.bytesOut,
    totalMs,
    queueMs: sentAt === 0 ? null : sentAt - progress.startedAt,
    firstByteMs: firstByteAt === 0 ? null : firstByteAt - progress.startedAt,
    connectMs: progress.connectMs < 0 ? null : progress.connectMs,
    upstreamMs: progress.attempts === 0 ? null : progress.upstreamMs,
    overheadMs: totalMs - progress.waitedMs,
    route: progress.route === '' ? null : progress.route,
    pool: progress.pool,
    endpoint: progress.endpoint,
    attempts: progress.attempts,
    retries: progress.retries ?? noRetries,
    noRetry: progress.noRetry,
    reusedConnection: progress.reusedConnection,
    cache: progress.cacheReport,
    user: progress.identity === null || progress.identity.user === '' ? null : progress.identity.user,
    policy: progress.decidedBy,
    notes: progress.notes ?? noNotes,
    fallback: progress.fallback,
    trace: progress.trace ?? passedTrace(progress),
    end: { side: progress.endSide, reason: progress.endReason, error: progress.endError, bug: progress.bug },
  };
}
