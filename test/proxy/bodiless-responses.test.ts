import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

const cases = [
  { method: 'HEAD', status: 200, length: '1234' },
  { method: 'HEAD', status: 200, length: null },
  { method: 'HEAD', status: 404, length: '17' },
  { method: 'GET', status: 304, length: '1234' },
  { method: 'GET', status: 304, length: null },
  { method: 'GET', status: 204, length: null },
  { method: 'DELETE', status: 204, length: '0' },
];

for (const { method, status, length } of cases) {
  const what = `${status} to ${method} ${length === null ? 'without' : `with Content-Length ${length}`}`;
  matrix(`${what} has no body, and the next request on the connection is answered`, async ({ gateway, origin }) => {
    const field = length === null ? '' : `Content-Length: ${length}\r\n`;
    // undici closes a connection on which a length was announced for nothing; then the next one serves.
    const bodiless = { send: `HTTP/1.1 ${status} X\r\nETag: "v"\r\n${field}\r\n` };
    const shop = await origin({ scripts: [['read head', bodiless, 'read head', 'respond 200'], ['respond 200']] });
    const front = await gateway(forwardTo(shop));
    const connection = await front.connect();
    const reply = await connection.send({ method });
    expect([reply.status, reply.text, reply.ended, reply.header('etag')]).toEqual([status, '', 'clean', '"v"']);
    // RFC 9110 §8.6: a 204 has no length; elsewhere it is that of the representation, and passed on.
    if (status !== 204) expect(reply.header('content-length')).toBe(length);
    else expect(reply.header('content-length')).toBeNull();
    expect(reply.header('transfer-encoding')).toBeNull();
    expect((await connection.send({})).text).toBe('ok\n');
  });
}

matrix('a chunked response to HEAD is a head alone', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' },
      'read head',
      'respond 200',
    ],
  });
  const front = await gateway(forwardTo(shop));
  const connection = await front.connect();
  const reply = await connection.send({ method: 'HEAD' });
  expect([reply.status, reply.text, reply.ended]).toEqual([200, '', 'clean']);
  expect((await connection.send({})).text).toBe('ok\n');
});

matrix('an empty response of known length keeps its length', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, body: '' }] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect([reply.header('content-length'), reply.text, reply.ended]).toEqual(['0', '', 'clean']);
});

matrix('a response that ends with its connection arrives whole', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', { sendEach: ['HTTP/1.1 200 OK\r\n\r\nab', 'cd', 'ef'] }, 'end'] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect([reply.text, reply.ended]).toEqual(['abcdef', 'clean']);
});

matrix('a response of known length keeps it', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, body: 'x'.repeat(100_000) }] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect(reply.header('content-length')).toBe('100000');
  expect([reply.body.length, reply.ended]).toEqual([100_000, 'clean']);
});
