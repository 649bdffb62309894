import { count, listOf, orNull, quantity, record, type Schema, text, time, truth, words } from '../schema.ts';

const figures = { exchanges: count, perSecond: quantity, failed: quantity, p50Ms: quantity, p99Ms: quantity };

/** Exchanges that ended lately. */
export const exchangeSchemas: Readonly<Record<string, Schema>> = {
  ExchangeLine: record({
    ...{ time, id: text, trace: orNull(text), span: orNull(text), listener: text, client: text, method: text },
    ...{ host: text, path: text, protocol: text, status: count, grpcStatus: orNull(count) },
    ...{ bytesIn: count, bytesOut: count, totalMs: quantity, queueMs: orNull(quantity), connectMs: orNull(quantity) },
    ...{ firstByteMs: orNull(quantity), upstreamMs: orNull(quantity), overheadMs: quantity },
    ...{ route: orNull(text), pool: orNull(text), endpoint: orNull(text), attempts: count, retries: listOf(text) },
    ...{ noRetry: orNull(text), fallback: orNull(text), reused: truth, cacheResult: orNull(text), tls: orNull(text) },
    ...{ user: orNull(text), policy: orNull(text), notes: listOf(text) },
    ...{ sni: orNull(text), side: words('client', 'gateway', 'upstream'), end: text, error: orNull(text) },
  }),
  TopRow: record({ name: orNull(text), ...figures, bytesOut: count }),
  TopFigures: record({ ...figures, bytesOut: count }),
};
