import type { ExchangeLine } from '../exchange/line.ts';
import type { ExchangeRecord } from '../exchange/outcome.ts';

/** Longer paths are cut off, as what is kept of them is bounded. */
const MOST_CHARACTERS = 1024;

/** Hot where lines are kept or filtered: one object, and no text but a part of the path is made. */
export function lineOf(record: ExchangeRecord): ExchangeLine {
  const { request, trace, tls, end } = record;
  return {
    time: record.startedAtEpoch,
    id: record.id,
    trace: trace === null ? null : trace.traceId,
    span: trace === null ? null : trace.spanId,
    listener: record.listener,
    client: record.clientAddress,
    method: request.method,
    host: request.authority,
    path: pathOf(request.target),
    protocol: PROTOCOLS[request.version],
    status: record.status,
    grpcStatus: record.grpcStatus,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    totalMs: record.totalMs,
    queueMs: record.queueMs,
    connectMs: record.connectMs,
    firstByteMs: record.firstByteMs,
    upstreamMs: record.upstreamMs,
    overheadMs: record.overheadMs,
    route: record.route,
    pool: record.pool,
    endpoint: record.endpoint,
    attempts: record.attempts,
    retries: record.retries,
    noRetry: record.noRetry,
    fallback: record.fallback === null ? null : record.fallback.kind,
    reused: record.reusedConnection,
    cacheResult: record.cache === null ? null : record.cache.result,
    user: record.user,
    policy: record.policy,
    notes: record.notes,
    tls: tls === null ? null : tls.protocol,
    sni: tls === null ? null : tls.serverName,
    side: end.side,
    end: end.reason,
    error: end.error,
  };
}

const PROTOCOLS = { '1.0': 'HTTP/1.0', '1.1': 'HTTP/1.1', '2': 'HTTP/2' } as const;

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return target.slice(0, Math.min(mark === -1 ? target.length : mark, MOST_CHARACTERS));
}

/** As the JSON access log writes its values. */
export function writtenLine(line: ExchangeLine): object {
  return {
    ...line,
    time: new Date(line.time).toISOString(),
    totalMs: rounded(line.totalMs),
    queueMs: rounded(line.queueMs),
    connectMs: rounded(line.connectMs),
    firstByteMs: rounded(line.firstByteMs),
    upstreamMs: rounded(line.upstreamMs),
    overheadMs: rounded(line.overheadMs),
  };
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}
