import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { type Front, isHttp2, isPlain, matrix, type Stage } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

matrix('the record of an exchange tells the whole story', async ({ gateway, origin, downstream }) => {
  const shop = await origin({ script: [{ respond: 201, body: 'created' }] });
  const front = await gateway(forwardTo(shop));
  const before = Date.now();
  const connection = await front.connect();
  await connection.send({ method: 'POST', path: '/orders?x=1', body: 'twelve bytes' });
  await connection.send({});
  const record = await front.gateway.nextRecord();
  expect(record).toMatchObject({
    ...{ listener: 'web', clientAddress: '127.0.0.1', status: 201, bytesIn: 12, bytesOut: 7, cache: null },
    ...{ route: 'all', pool: 'shop', endpoint: `http://127.0.0.1:${shop.port}`, attempts: 1, reusedConnection: false },
    end: { side: 'gateway', reason: 'complete', error: null, bug: null },
  });
  expect(record.request).toMatchObject({
    ...{ method: 'POST', target: '/orders?x=1', authority: 'shop.test', scheme: front.scheme },
    version: isHttp2(downstream) ? '2' : '1.1',
  });
  if (isPlain(downstream)) expect(record.tls).toBeNull();
  else expect(record.tls).toMatchObject({ serverName: 'shop.test', protocol: 'TLSv1.3' });
  expect(record.startedAtEpoch).toBeGreaterThanOrEqual(before);
  expect(record.totalMs).toBeGreaterThanOrEqual(record.firstByteMs ?? Number.NaN);
  expect(record.firstByteMs).toBeGreaterThanOrEqual(record.queueMs ?? Number.NaN);
  expect(record.connectMs).toBeGreaterThan(0);
  expect(record.upstreamMs).toBeGreaterThanOrEqual(record.connectMs ?? Number.NaN);
  expect(record.overheadMs).toBeGreaterThan(0);
  expect(record.totalMs).toBeGreaterThanOrEqual((record.upstreamMs ?? Number.NaN) + record.overheadMs - 1e-6);
  expect(await front.gateway.nextRecord()).toMatchObject({ bytesIn: 0, bytesOut: 7, reusedConnection: true });
});

/** Kinds of ending that no other file of this directory looks at, or that are worth seeing side by side. */
const endings: readonly {
  readonly what: string;
  readonly happen: (stage: Stage) => Promise<Front>;
  readonly status: number;
  readonly end: { readonly side: string; readonly reason: string; readonly error: string | null };
  readonly attempts: number;
}[] = [
  {
    what: 'an endpoint answers',
    happen: (stage) => asked(stage, async () => forwardTo(await stage.origin())),
    status: 200,
    end: { side: 'gateway', reason: 'complete', error: null },
    attempts: 1,
  },
  {
    what: 'an endpoint answers with an error of its own',
    happen: (stage) => asked(stage, async () => forwardTo(await stage.origin({ script: ['respond 500'] }))),
    status: 500,
    end: { side: 'gateway', reason: 'complete', error: null },
    attempts: 1,
  },
  {
    what: 'the configuration answers',
    happen: (stage) => asked(stage, async () => ({ routes: [{ respond: { status: 418 } }] })),
    status: 418,
    end: { side: 'gateway', reason: 'fixed-response', error: null },
    attempts: 0,
  },
  {
    what: 'the configuration redirects',
    happen: (stage) => asked(stage, async () => ({ routes: [{ redirect: { to: '/x' } }] })),
    status: 302,
    end: { side: 'gateway', reason: 'redirect', error: null },
    attempts: 0,
  },
  {
    what: 'no route takes the request',
    happen: (stage) => asked(stage, async () => ({ routes: [] })),
    status: 404,
    end: { side: 'client', reason: 'no-route', error: 'destination_not_found' },
    attempts: 0,
  },
  {
    what: 'nobody listens at either endpoint',
    happen: (stage) => asked(stage, async () => forwardTo([{ port: await deadPort() }, { port: await deadPort() }])),
    status: 502,
    end: { side: 'upstream', reason: 'connection-refused', error: 'connection_refused' },
    attempts: 2,
  },
  {
    what: 'the endpoint hangs up without an answer',
    happen: (stage) => asked(stage, async () => forwardTo(await stage.origin({ script: ['read head', 'end'] }))),
    status: 502,
    end: { side: 'upstream', reason: 'connection-closed-without-response', error: 'connection_terminated' },
    attempts: 1,
  },
  {
    what: 'the endpoint hangs up in its answer',
    happen: (stage) =>
      asked(stage, async () => {
        const send = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc';
        return forwardTo(await stage.origin({ script: ['read head', { send }, 'end'] }));
      }),
    status: 200,
    end: { side: 'upstream', reason: 'body-cut-short', error: 'http_response_incomplete' },
    attempts: 1,
  },
];

for (const { what, happen, status, end, attempts } of endings) {
  matrix(`when ${what}, the record says ${end.side}, ${end.reason}`, async (stage) => {
    const front = await happen(stage);
    const record = await front.gateway.nextRecord();
    expect([record.status, record.attempts]).toEqual([status, attempts]);
    expect(record.end).toEqual({ ...end, bug: null });
    expect(front.gateway.records).toHaveLength(1);
  });
}

/** A gateway that was asked once. */
async function asked(stage: Stage, configure: () => Promise<TestConfig>): Promise<Front> {
  const front = await stage.gateway(await configure());
  await front.send({});
  return front;
}
