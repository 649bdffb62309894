import { expect, test } from 'vitest';
import type { ExchangeRecord } from '../../../src/exchange/outcome.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { TrafficMetrics } from '../../../src/observe/traffic-metrics.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

const MINUTE_MS = 60_000;

function counted() {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const traffic = new TrafficMetrics(metrics, { clock, latencySeconds: [0.1, 1] });
  const finished = (over: Partial<ExchangeRecord>): void => {
    const record = { listener: 'web', route: 'shop', status: 200, bytesIn: 3, bytesOut: 5, totalMs: 50, overheadMs: 2 };
    const rest = {
      firstByteMs: null,
      policy: null,
      notes: [],
      fallback: null,
      trace: null,
      end: { side: 'gateway', error: null, bug: null },
    };
    traffic.finished({ ...record, ...rest, ...over } as ExchangeRecord);
  };
  const lines = async (accept = ''): Promise<readonly string[]> =>
    (await metrics.expose(accept)).pieces.join('').split('\n');
  return { clock, traffic, finished, lines };
}

function named(routes: readonly string[]) {
  return { listeners: new Set(['web']), routes: new Set(routes), pools: new Set(['shop']) };
}

test('what a listener did for a route is counted by status, duration, first byte, bytes; overhead by listener', async () => {
  const { finished, lines } = counted();
  finished({ firstByteMs: 40 });
  finished({ status: 503, totalMs: 2_000 });
  const text = await lines();
  expect(text).toEqual(
    expect.arrayContaining([
      'headgate_http_requests_total{listener="web",route="shop",status="2xx"} 1',
      'headgate_http_requests_total{listener="web",route="shop",status="5xx"} 1',
      'headgate_http_request_duration_seconds_bucket{listener="web",route="shop",le="0.1"} 1',
      'headgate_http_request_duration_seconds_bucket{listener="web",route="shop",le="1"} 1',
      'headgate_http_request_duration_seconds_bucket{listener="web",route="shop",le="+Inf"} 2',
      'headgate_http_request_duration_seconds_sum{listener="web",route="shop"} 2.05',
      'headgate_http_time_to_first_byte_seconds_count{listener="web",route="shop"} 1',
      'headgate_http_overhead_seconds_count{listener="web"} 2',
      'headgate_http_overhead_seconds_sum{listener="web"} 0.004',
      'headgate_http_request_bytes_total{listener="web",route="shop"} 6',
      'headgate_http_response_bytes_total{listener="web",route="shop"} 10',
    ]),
  );
});

test('what policies have refused and noted is counted by policy, reason and note', async () => {
  const { finished, lines } = counted();
  const end = { side: 'client', reason: 'rate-limit-exceeded', error: 'http_request_denied', bug: null } as const;
  finished({ policy: 'rateLimit', notes: ['guard:sql', 'guard:xss'], end });
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'headgate_http_policy_answers_total{listener="web",route="shop",policy="rateLimit",reason="rate-limit-exceeded"} 1',
      'headgate_http_policy_notes_total{listener="web",route="shop",note="guard:sql"} 1',
      'headgate_http_policy_notes_total{listener="web",route="shop",note="guard:xss"} 1',
    ]),
  );
});

test('a status that is none is counted as a failure of the server (RFC 9110 §15)', async () => {
  const { finished, lines } = counted();
  finished({ status: 600 });
  finished({ status: 999 });
  expect(await lines()).toContain('headgate_http_requests_total{listener="web",route="shop",status="5xx"} 2');
});

test('a tunnel is counted, but how long it was wanted is no duration', async () => {
  const { finished, lines } = counted();
  finished({ status: 101, totalMs: 3_600_000 });
  const text = await lines();
  expect(text).toContain('headgate_http_requests_total{listener="web",route="shop",status="1xx"} 1');
  expect(text).toContain('headgate_http_request_duration_seconds_count{listener="web",route="shop"} 0');
});

test('the last sampled trace of a bucket is its exemplar', async () => {
  const { finished, lines } = counted();
  const trace = (traceId: string, sampled: boolean) => ({ trace: { traceId, sampled } as ExchangeRecord['trace'] });
  const startedAtEpoch = Date.UTC(2026, 0, 1);
  finished({ startedAtEpoch, ...trace('a'.repeat(32), true) });
  finished({ startedAtEpoch, ...trace('b'.repeat(32), true) });
  finished({ startedAtEpoch, ...trace('c'.repeat(32), false) });
  const text = await lines('application/openmetrics-text');
  expect(text).toContain(
    `headgate_http_request_duration_seconds_bucket{listener="web",route="shop",le="0.1"} 3 # {trace_id="${'b'.repeat(32)}"} 0.05 1767225600.050`,
  );
});

test('counts of a route that a reload has removed stay for five minutes, and those of one that comes back stay', async () => {
  const { clock, traffic, finished, lines } = counted();
  traffic.adopt(named(['shop', 'cart', 'help']));
  const error = { side: 'upstream', reason: 'reset', error: 'connection_terminated', bug: null } as const;
  for (const route of ['shop', 'cart', 'help', null]) finished({ route, status: 502, end: error });
  const routes = async () => [
    ...new Set((await lines()).flatMap((line) => /^headgate_http_(?:\w+)\{.*route="(\w*)"/.exec(line)?.[1] ?? [])),
  ];
  clock.advance(MINUTE_MS);
  traffic.adopt(named(['shop']));
  expect(await routes()).toEqual(['shop', 'cart', 'help', '']);
  clock.advance(4 * MINUTE_MS);
  traffic.adopt(named(['shop', 'help']));
  expect(await routes()).toEqual(['shop', 'cart', 'help', '']);
  clock.advance(MINUTE_MS);
  expect(await routes()).toEqual(['shop', 'help', '']);
  // A straggler of the old configuration does not bring it back for good.
  finished({ route: 'cart', status: 502, end: error });
  expect(await routes()).toEqual(['shop', 'help', '']);
});
