import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attempt, begin, destination, FedBody, readyBody, send, transportOf } from '../../kit/attempt.ts';
import { origin } from '../../kit/origin.ts';

const trouble: unknown[] = [];
const note = (what: unknown): void => {
  trouble.push(what);
};

beforeEach(() => {
  trouble.length = 0;
  for (const event of ['warning', 'unhandledRejection', 'uncaughtExceptionMonitor']) process.on(event, note);
});

afterEach(() => {
  for (const event of ['warning', 'unhandledRejection', 'uncaughtExceptionMonitor']) process.off(event, note);
});

test('ten thousand requests on four connections leave no listeners, warnings or connections behind', async () => {
  const server = await origin();
  const out = transportOf();
  const to = destination(server.port, {}, { maxConnections: 4 });
  let left = 10_000;
  async function worker(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const post = left % 4 === 0;
      const heard = await send(out, attempt(to, post ? { method: 'POST', body: readyBody('hello') } : {}));
      if (heard.status !== 200) throw new Error(`Got ${heard.status}: ${heard.error?.message}`);
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()]);
  await turn();
  expect(server.requests).toBe(10_000);
  expect(server.accepted).toBeLessThanOrEqual(4);
  expect(out.connections(to.connectionKey)).toEqual({ open: 4, busy: 0, queued: 0 });
  expect(trouble).toEqual([]);
}, 60_000);

test('a thousand cancels at every moment leave no request and no connection behind', async () => {
  const server = await origin({
    script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n' }, 'read body', 'silent'],
  });
  const out = transportOf();
  const to = destination(server.port, {}, { maxConnections: 16, maxQueued: 64 });
  for (let round = 0; round < 50; round += 1) {
    const batch = Array.from({ length: 20 }, (_, i) => {
      const body = i % 3 === 0 ? new FedBody(10) : null;
      return begin(out, attempt(to, body === null ? {} : { method: 'POST', body }));
    });
    for (const [i, one] of batch.entries()) {
      if (i % 5 === 4) await turn();
      one.inFlight.cancel();
    }
    const told = batch.map(({ heard }) => heard.calls.length);
    await turn();
    expect(batch.map(({ heard }) => heard.calls.length)).toEqual(told);
  }
  while (out.connections(to.connectionKey).open > 0) await turn();
  await server.idle();
  expect(out.connections(to.connectionKey)).toEqual({ open: 0, busy: 0, queued: 0 });
  expect(trouble).toEqual([]);
}, 60_000);

test('resets at every stage, a hundred times, never reach the process', async () => {
  const stages = [
    ['reset'],
    ['read head', 'reset'],
    ['read head', { send: 'HTTP/1.1 2' }, 'reset'],
    ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc' }, 'reset'],
    ['read head', { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab' }, 'reset'],
    ['read head', { send: 'HTTP/1.1 103 Early Hints\r\n\r\n' }, 'reset'],
    ['respond 200', 'reset'],
    ['respond 200', 'read head', 'reset'],
  ] as const;
  const server = await origin({ scripts: Array.from({ length: 400 }, (_, i) => stages[i % stages.length] ?? []) });
  const out = transportOf();
  for (let i = 0; i < 100; i += 1) {
    const upgrade = i % 7 === 0 ? 'websocket' : null;
    const body = i % 3 === 0 ? readyBody('hello') : null;
    const heard = await send(out, attempt(destination(server.port), { upgrade, body, method: body ? 'POST' : 'GET' }));
    expect(['end', 'fail']).toContain(heard.calls.at(-1));
  }
  await turn();
  expect(trouble).toEqual([]);
});

test('a receiver that throws fails its own attempt, not the process', async () => {
  const server = await origin();
  const out = transportOf();
  for (const where of ['sent', 'head', 'data'] as const) {
    const { heard } = begin(out, attempt(destination(server.port)));
    heard[where] = () => {
      throw new TypeError('bug');
    };
    await heard.over;
    expect([heard.error?.code, heard.error?.status, heard.error?.blame]).toEqual([
      'proxy_internal_error',
      500,
      'gateway',
    ]);
    expect(heard.error?.cause).toEqual(new TypeError('bug'));
  }
  const { heard } = begin(out, attempt(destination(server.port, {}, { keepAliveMs: 0 })));
  heard.fail = heard.end = () => {
    throw new TypeError('bug');
  };
  await server.idle();
  await turn();
  expect(trouble).toEqual([]);
  expect((await send(out, attempt(destination(server.port)))).status).toBe(200);
});
