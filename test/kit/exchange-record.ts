import type { ExchangeRecord } from '../../src/exchange/outcome.ts';

/** A record of an exchange that ended well, but for what is given. */
export function exchangeRecord(over: Partial<ExchangeRecord> & { readonly target?: string } = {}): ExchangeRecord {
  const { target = '/cart?token=secret', ...rest } = over;
  return {
    ...{ id: '01a1fc26-6f03-75c0-bc65-1c42c4226680', listener: 'web', clientAddress: '192.0.2.7', tls: null },
    request: {
      ...{ method: 'GET', target, authority: 'shop.test', scheme: 'http', version: '1.1' },
      headers: ['Host', 'shop.test', 'Authorization', 'Bearer secret', 'Cookie', 'sid=secret'],
    },
    ...{ startedAtEpoch: Date.UTC(2026, 0, 1), status: 200, grpcStatus: null, bytesIn: 0, bytesOut: 100, totalMs: 1 },
    ...{ queueMs: 0.1, firstByteMs: 0.9, connectMs: 0, upstreamMs: 0.8, overheadMs: 0.1, route: 'cart', pool: 'shop' },
    ...{ endpoint: 'http://10.0.0.1:3000', attempts: 1, retries: [], noRetry: null, reusedConnection: true },
    ...{ cache: null, user: null, policy: null, notes: [], fallback: null, trace: null },
    end: { side: 'gateway', reason: 'complete', error: null, bug: null },
    ...rest,
  };
}
