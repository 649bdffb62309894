import { expect } from 'vitest';
import { collector } from '../kit/collector.ts';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const one = { without: ONE_PROTOCOL };
/** Nothing is sent before the gateway stops. */
const LATE = { interval: '1h' } as const;

matrix('an exchange is a server span, and its attempt a client span whose id the endpoint gets', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 201 }] });
  const spans = await collector();
  const otlp = { endpoint: spans.url, headers: { 'Api-Key': 'k1' }, ...LATE };
  const front = await stage.gateway(
    forwardTo(shop, {
      listener: { trustedProxies: ['127.0.0.1'] },
      route: { match: { path: '/api/**' } },
      rest: { tracing: { resource: { 'deployment.environment.name': 'test' }, otlp } },
    }),
  );
  const headers = ['traceparent', `00-${TRACE}-${PARENT}-01`, 'tracestate', 'rojo=1', 'Authorization', 'Bearer secret'];
  await front.send({ path: '/api/a?token=secret', headers });
  const record = await front.gateway.nextRecord();
  await front.gateway.gateway.close();
  const [server, attempt, ...more] = spans.spans;
  expect(more).toEqual([]);
  expect(server).toMatchObject({
    ...{ traceId: TRACE, spanId: record.trace?.spanId, parentSpanId: PARENT, traceState: 'rojo=1', flags: 0x301 },
    ...{ name: 'GET /api/**', kind: 2, status: {} },
  });
  const { version } = record.request;
  expect(server?.attributes).toEqual({
    ...{
      'http.request.method': 'GET',
      'url.scheme': front.scheme,
      'url.path': '/api/a',
      'server.address': 'shop.test',
    },
    ...{ 'server.port': front.scheme === 'http' ? 80 : 443, 'client.address': '127.0.0.1', 'http.route': '/api/**' },
    ...{ 'network.protocol.version': version, 'http.response.status_code': 201, 'headgate.request.id': record.id },
    ...{ 'headgate.listener': 'web', 'headgate.route': 'all', 'headgate.pool': 'shop', 'headgate.attempts': 1 },
    ...{ 'headgate.end.side': 'gateway', 'headgate.end.reason': 'complete' },
  });
  expect(attempt).toMatchObject({ traceId: TRACE, parentSpanId: server?.spanId, name: 'GET', kind: 3, flags: 0x101 });
  expect(attempt?.attributes).toEqual({
    ...{ 'http.request.method': 'GET', 'url.full': `http://127.0.0.1:${shop.port}/api/a`, 'network.transport': 'tcp' },
    ...{ 'server.address': '127.0.0.1', 'server.port': shop.port, 'network.protocol.version': '1.1' },
    ...{ 'http.response.status_code': 201, 'headgate.connection.reused': false },
    ...{ 'headgate.sent_ms': expect.any(Number), 'headgate.head_ms': expect.any(Number) },
  });
  expect((await shop.request()).header('traceparent')).toBe(`00-${TRACE}-${attempt?.spanId}-01`);
  const times = [server, attempt, attempt, server].map((span, i) =>
    BigInt((i < 2 ? span?.startTimeUnixNano : span?.endTimeUnixNano) ?? 0),
  );
  expect(times).toEqual([...times].sort((a, b) => (a < b ? -1 : 1)));
  expect(String(times[0])).toMatch(/^\d{19}$/);
  expect(spans.resource).toMatchObject({ 'service.name': 'headgate', 'deployment.environment.name': 'test' });
  const [{ head }] = spans.requests as [(typeof spans.requests)[0]];
  expect([head.url, head.headers['api-key'], head.headers['content-encoding'], head.headers['traceparent']]).toEqual([
    ...['/v1/traces', 'k1', 'gzip', undefined],
  ]);
  expect(JSON.stringify(spans.requests.map(({ body }) => body))).not.toContain('secret');
});

matrix(
  'each attempt of a request that is tried again has its span, which says why',
  async ({ gateway, origin }) => {
    const dead = await deadPort();
    const busy = await origin({ script: ['respond 503'] });
    const shop = await origin();
    const spans = await collector();
    const front = await gateway(
      forwardTo([{ port: dead }, busy, shop], {
        pool: { balance: 'round-robin' },
        route: { retry: { attempts: 3, on: ['connect', 503], backoff: { base: '1ms' } } },
        rest: { tracing: { otlp: { endpoint: spans.url, ...LATE } } },
      }),
    );
    await front.send({});
    await front.gateway.gateway.close();
    const [server, ...attempts] = spans.spans;
    expect(server).toMatchObject({ kind: 2, status: {}, attributes: { 'headgate.attempts': 3 } });
    const told = attempts.map(({ parentSpanId, status, attributes }) => [
      ...[parentSpanId === server?.spanId, status.code, attributes['http.request.resend_count']],
      ...[attributes['error.type'], attributes['headgate.retry.reason'], attributes['http.response.status_code']],
    ]);
    expect(told).toEqual([
      [true, 2, undefined, 'connection-refused', undefined, undefined],
      [true, 2, 1, '503', 'connect', 503],
      [true, undefined, 2, undefined, '503', 200],
    ]);
    const received = [await busy.request(), await shop.request()].map((each) => each.header('traceparent'));
    expect(received.map((field) => field?.split('-')[2])).toEqual(attempts.slice(1).map(({ spanId }) => spanId));
  },
  one,
);

matrix(
  'what is not sampled is not exported, unless it failed and errors are wanted',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['respond 200', 'respond 404', 'respond 500'] });
    for (const [errors, expected] of [
      [false, 0],
      [true, 2],
    ] as const) {
      const spans = await collector();
      const tracing = { sample: 0, errors, otlp: { endpoint: spans.url, ...LATE } };
      const front = await gateway(forwardTo(shop, { rest: { tracing } }));
      const connection = await front.connect();
      for (const path of ['/1', '/2', '/3']) await connection.send({ path });
      await front.gateway.gateway.close();
      expect(spans.spans).toHaveLength(expected);
      for (const { flags, attributes } of spans.spans)
        expect([flags & 1, attributes['error.type']]).toEqual([0, '500']);
    }
  },
  one,
);

matrix(
  'what the cache answers is a span without attempts; a refresh is one of its own, linked to it',
  async ({ gateway, origin }) => {
    const stale = ['Cache-Control', 'max-age=0, stale-while-revalidate=60'];
    const shop = await origin({ script: [{ respond: 200, headers: stale }] });
    const spans = await collector();
    const tracing = { otlp: { endpoint: spans.url, ...LATE } };
    const front = await gateway(forwardTo(shop, { route: { cache: true }, rest: { tracing } }));
    await front.send({});
    await front.send({});
    await front.gateway.refreshed(1);
    await front.gateway.gateway.close();
    const kinds = spans.spans.map(({ kind }) => kind);
    expect([...kinds].sort()).toEqual([1, 2, 2, 3, 3]);
    const served = spans.spans.filter(({ kind }) => kind === 2)[1];
    const refresh = spans.spans.find(({ kind }) => kind === 1);
    expect(served?.attributes).toMatchObject({
      'headgate.cache.result': 'stale-while-revalidate',
      'headgate.attempts': 0,
    });
    expect(refresh).toMatchObject({
      ...{ name: 'refresh /**', links: [{ traceId: served?.traceId, spanId: served?.spanId }] },
      ...{ attributes: { 'headgate.refresh.result': 'replaced' } },
    });
    expect(spans.spans.at(-1)?.parentSpanId).toBe(refresh?.spanId);
  },
  one,
);

matrix(
  'a collector that has no time now gets the same spans again; a dead one costs nothing but spans',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const busy = await collector(
      { status: 503, headers: { 'Retry-After': '0' } },
      { status: 429, headers: { 'Retry-After': '0' } },
    );
    const first = await gateway(forwardTo(shop, { rest: { tracing: { otlp: { endpoint: busy.url, batch: 2 } } } }));
    await first.send({});
    await busy.asked(3);
    expect(new Set(busy.requests.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await first.gateway.gateway.close();
    const nobody = { endpoint: `http://127.0.0.1:${await deadPort()}`, batch: 1, queue: 1 };
    const second = await gateway(forwardTo(shop, { rest: { tracing: { otlp: nobody } } }));
    for (const path of ['/1', '/2', '/3']) expect((await second.send({ path })).status).toBe(200);
    const metrics = await (await fetch(new URL('/metrics', second.gateway.gateway.adminUrl))).text();
    expect(metrics).toMatch(/headgate_trace_spans_dropped_total\{reason="queue-full"\} [1-9]/);
    await second.gateway.gateway.close();
  },
  one,
);

matrix(
  'draining delivers what waits, and a reload sends what follows elsewhere',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const [before, after] = [await collector(), await collector()];
    const to = (endpoint: string) => forwardTo(shop, { rest: { tracing: { otlp: { endpoint, ...LATE } } } });
    const front = await gateway(to(before.url));
    await front.send({});
    expect(await front.reload(to(after.url))).toMatchObject({ result: 'applied', changes: { needsRestart: [] } });
    await front.send({});
    await front.gateway.gateway.drain();
    expect([before.spans.length, after.spans.length]).toEqual([2, 2]);
  },
  one,
);
