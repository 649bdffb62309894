import { expect, test } from 'vitest';
import { attempt, destination, FedBody, readyBody, send, transportOf } from '../../kit/attempt.ts';
import { origin } from '../../kit/origin.ts';

test('a GET is sent as it is, and its response handed on with order, case and repeats of its fields', async () => {
  const server = await origin({
    script: [
      { respond: 200, headers: ['X-B', '1', 'set-cookie', 'a=1', 'X-a', ' é ', 'Set-Cookie', 'b=2', 'X-Empty', ''] },
    ],
  });
  const heard = await send(
    transportOf(),
    attempt(destination(server.port), {
      target: '/a%2Fb//c?x=1&x=2',
      headers: ['Host', 'shop.test', 'X-Dup', '1', 'Accept', '*/*', 'x-dup', '2'],
    }),
  );
  expect(heard.calls).toEqual(['sent', 'head', 'data', 'end']);
  expect(heard.status).toBe(200);
  expect(heard.head_?.headers).toEqual([
    'X-B',
    '1',
    'set-cookie',
    'a=1',
    'X-a',
    'é',
    'Set-Cookie',
    'b=2',
    'X-Empty',
    '',
    'Content-Length',
    '3',
  ]);
  expect(heard.body).toBe('ok\n');
  expect(heard.trailers).toBeNull();
  const received = server.received[0];
  expect(received?.lines).toEqual([
    'GET /a%2Fb//c?x=1&x=2 HTTP/1.1',
    'host: shop.test',
    'connection: keep-alive',
    'X-Dup: 1',
    'Accept: */*',
    'x-dup: 2',
  ]);
});

test('a POST with a known length is framed by Content-Length, exactly one', async () => {
  const server = await origin();
  const out = transportOf();
  for (const headers of [
    ['Host', 'a', 'Content-Length', '5'],
    ['Host', 'a'],
    ['Host', 'a', 'content-length', '7'],
  ]) {
    const heard = await send(
      out,
      attempt(destination(server.port), { method: 'POST', headers, body: readyBody('hello') }),
    );
    expect(heard.status).toBe(200);
  }
  for (const received of server.received) {
    expect(received.all('content-length')).toEqual(['5']);
    expect(received.all('transfer-encoding')).toEqual([]);
    expect(received.text).toBe('hello');
  }
});

test('a body of unknown length is sent in chunks', async () => {
  const server = await origin();
  const body = new FedBody(null);
  const over = send(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
  await body.piped;
  body.feed('hel');
  body.feed('lo');
  body.finish(['X-Trailer', 'dropped']);
  expect((await over).status).toBe(200);
  expect(server.received[0]?.all('transfer-encoding')).toEqual(['chunked']);
  expect(server.received[0]?.all('content-length')).toEqual([]);
  expect(server.received[0]?.text).toBe('hello');
});

test.each([
  ['by length', 5],
  ['in chunks', null],
])('a GET with a body goes out %s, and the connection is kept', async (_how, length) => {
  const server = await origin();
  const out = transportOf();
  for (let i = 0; i < 2; i += 1) {
    const body = new FedBody(length);
    const over = send(out, attempt(destination(server.port), { body }));
    await body.piped;
    body.feed('hello');
    body.finish();
    expect((await over).reused).toEqual([i === 1]);
    expect(server.received[i]?.text).toBe('hello');
  }
  expect(server.accepted).toBe(1);
});

test.each(['QUERY', 'PROPFIND', 'M-SEARCH', 'DELETE', 'OPTIONS', 'FOO'])('the method %s passes', async (method) => {
  const server = await origin();
  const heard = await send(transportOf(), attempt(destination(server.port), { method }));
  expect(heard.status).toBe(200);
  expect(server.received[0]?.method).toBe(method);
});

test('a POST without a body says Content-Length: 0', async () => {
  const server = await origin();
  await send(transportOf(), attempt(destination(server.port), { method: 'POST' }));
  expect(server.received[0]?.all('content-length')).toEqual(['0']);
});
