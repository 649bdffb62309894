import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;
const one = { without: ONE_PROTOCOL };

matrix('without a part in traces, their context is passed on as it came, and the log tells the id', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway(forwardTo(shop));
  await front.send({ headers: ['Traceparent', SAMPLED, 'tracestate', 'rojo=1', 'tracestate', 'congo=2'] });
  await front.send({ headers: ['traceparent', 'junk', 'tracestate', 'rojo=1'] });
  await front.send({});
  const [valid, invalid, none] = [await shop.request(0), await shop.request(1), await shop.request(2)];
  expect([valid.all('traceparent'), valid.all('tracestate')]).toEqual([[SAMPLED], ['rojo=1', 'congo=2']]);
  expect([invalid.all('traceparent'), invalid.all('tracestate')]).toEqual([['junk'], ['rojo=1']]);
  expect(none.all('traceparent')).toEqual([]);
  const traces = [await front.gateway.nextRecord(), await front.gateway.nextRecord(), await front.gateway.nextRecord()];
  expect(traces.map(({ trace }) => trace && [trace.traceId, trace.parentId, trace.spanId, trace.sampled])).toEqual([
    [TRACE, PARENT, null, true],
    null,
    null,
  ]);
});

matrix('with one, a trace goes on through Headgate: the same trace, its own span as the parent', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway(forwardTo(shop, { rest: { tracing: {} } }));
  await front.send({ headers: ['TraceParent', SAMPLED, 'tracestate', 'rojo=1', 'tracestate', 'congo=2'] });
  const received = await shop.request();
  const { trace } = await front.gateway.nextRecord();
  expect(trace).toMatchObject({ traceId: TRACE, parentId: PARENT, sampled: true, random: false });
  expect(trace?.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect(trace?.spanId).not.toBe(PARENT);
  expect(received.all('traceparent')).toEqual([`00-${TRACE}-${trace?.spanId}-01`]);
  expect(received.all('tracestate').join(',')).toBe('rojo=1,congo=2');
});

for (const [what, headers] of [
  ['none', []],
  ['one that is invalid', ['traceparent', `ff-${TRACE}-${PARENT}-01`, 'tracestate', 'rojo=1']],
  ['two', ['traceparent', SAMPLED, 'traceparent', SAMPLED, 'tracestate', 'rojo=1']],
] as const) {
  matrix(
    `a request with no valid context (${what}) begins a trace, without anybody’s tracestate`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop, { rest: { tracing: {} } }));
      await front.send({ headers });
      const received = await shop.request();
      expect(received.all('traceparent')).toHaveLength(1);
      expect(received.header('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-03$/);
      expect(received.header('traceparent')).not.toContain(TRACE);
      expect(received.all('tracestate')).toEqual([]);
      const { trace } = await front.gateway.nextRecord();
      expect(received.header('traceparent')).toContain(`${trace?.traceId}-${trace?.spanId}`);
      expect(trace?.parentId).toBeNull();
    },
    one,
  );
}

matrix(
  'a tracestate that is malformed is dropped, and the trace goes on',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { rest: { tracing: {} } }));
    await front.send({ headers: ['traceparent', SAMPLED, 'tracestate', 'rojo=1', 'tracestate', 'Congo=2'] });
    const received = await shop.request();
    expect(received.header('traceparent')).toContain(TRACE);
    expect(received.all('tracestate')).toEqual([]);
  },
  one,
);

const PROXY = { trustedProxies: ['127.0.0.1'] };
for (const [what, tracing, listener, sent, passed] of [
  ['a stranger can’t have its trace recorded', { sample: 0 }, {}, '01', '00'],
  ['nor can it keep its trace from being recorded', { sample: 1 }, {}, '00', '01'],
  ['a trusted proxy can have a trace recorded', { sample: 0 }, PROXY, '03', '03'],
  ['a trusted proxy can keep a trace from being recorded', { sample: 1 }, PROXY, '02', '02'],
  ['everybody can where the configuration says so', { sample: 0, trustClients: true }, {}, '01', '01'],
] as const) {
  matrix(
    `sampling: ${what}`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop, { listener, rest: { tracing } }));
      await front.send({ headers: ['traceparent', `00-${TRACE}-${PARENT}-${sent}`] });
      const field = (await shop.request()).header('traceparent');
      expect(field).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${passed}$`));
    },
    one,
  );
}

matrix(
  'a route may sample otherwise, and keep the context from its endpoints',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const often = forwardTo(shop, { route: { tracing: { sample: '100%' } }, rest: { tracing: { sample: 0 } } });
    await (await gateway(often)).send({});
    expect((await shop.request(0)).header('traceparent')).toMatch(/-03$/);
    const remove = ['traceparent', 'tracestate'];
    const silent = forwardTo(shop, { route: { requestHeaders: { remove } }, rest: { tracing: {} } });
    await (await gateway(silent)).send({ headers: ['traceparent', SAMPLED, 'tracestate', 'rojo=1'] });
    const received = await shop.request(1);
    expect([received.header('traceparent'), received.header('tracestate')]).toEqual([null, null]);
  },
  one,
);

matrix(
  'a refresh in the background is a trace of its own, and says whom it followed',
  async ({ gateway, origin }) => {
    const stale = ['Cache-Control', 'max-age=0, stale-while-revalidate=60'];
    const shop = await origin({ script: [{ respond: 200, headers: stale }] });
    const front = await gateway(forwardTo(shop, { route: { cache: true }, rest: { tracing: {} } }));
    await front.send({});
    await front.send({ headers: ['traceparent', SAMPLED, 'tracestate', 'rojo=1'] });
    const { trace } = await front.gateway.refreshed(1);
    await front.gateway.nextRecord();
    const served = await front.gateway.nextRecord();
    expect(trace?.link).toEqual({ traceId: TRACE, spanId: served.trace?.spanId });
    expect(trace?.traceId).not.toBe(TRACE);
    const received = await shop.request(1);
    expect(received.header('traceparent')).toContain(`${trace?.traceId}-${trace?.spanId}`);
    expect(received.header('tracestate')).toBeNull();
  },
  one,
);
