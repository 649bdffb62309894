import { expect, test } from 'vitest';
import { attempt, begin, destination, FedBody, type Sent, send, transportOf } from '../../kit/attempt.ts';
import { origin } from '../../kit/origin.ts';

const RESPONSE = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a head goes out although its body waits, and the body follows in its chunks', async () => {
  const body = new FedBody(null);
  const { server, heard, again } = await answering(body, ['read 6 bytes', 'read 6 bytes', 'read 5 bytes']);
  body.feed('a');
  body.feed('b');
  body.finish();
  await heard.over;
  expect([heard.calls, heard.error]).toEqual([['sent', 'head', 'end'], null]);
  const request = server.received[0];
  expect(request?.body.toString()).toBe('1\r\na\r\n1\r\nb\r\n0\r\n\r\n');
  expect([request?.header('transfer-encoding'), request?.header('content-length')]).toEqual(['chunked', null]);
  // The connection is as good as any.
  expect(await again()).toEqual([200, [true]]);
});

test('a body of known length is announced by a head that goes first', async () => {
  const body = new FedBody(4);
  const { server, heard, again } = await answering(body, ['read 4 bytes']);
  body.feed('ab');
  body.feed('cd');
  body.finish();
  await heard.over;
  const request = server.received[0];
  expect([request?.header('content-length'), request?.header('transfer-encoding')]).toEqual(['4', null]);
  expect(request?.body.toString()).toBe('abcd');
  expect(await again()).toEqual([200, [true]]);
});

test.each(['POST', 'GET'])(
  'a body of unknown length may turn out to be empty after its head went (%s)',
  async (method) => {
    const body = new FedBody(null);
    const { server, heard, again } = await answering(body, ['read 5 bytes'], method);
    body.finish();
    await heard.over;
    expect(server.received[0]?.body.toString()).toBe('0\r\n\r\n');
    expect(heard.error).toBeNull();
    expect((await again())[0]).toBe(200);
  },
);

test('an upload that is cancelled while it waits closes its connection', async () => {
  const server = await origin({ script: ['read head', 'silent'] });
  const { inFlight } = begin(
    transportOf(),
    attempt(destination(server.port), { method: 'POST', body: new FedBody(4) }),
  );
  await server.request();
  inFlight.cancel();
  await server.idle();
});

test('an answer in place of the upload is heard', async () => {
  const server = await origin({ script: ['read head', { send: OK }, 'silent'] });
  const body = new FedBody(1000);
  const { heard } = begin(transportOf(), attempt(destination(server.port), { method: 'PUT', body }));
  await heard.over;
  expect([heard.status, heard.body, body.unpipes]).toEqual([200, 'ok', 1]);
});

/** An attempt whose head the endpoint has answered before any byte of `body` was there. */
async function answering(body: FedBody, reads: readonly `read ${number} bytes`[], method = 'POST') {
  const script = ['read head', { send: RESPONSE }, ...reads, { send: '0\r\n\r\n' }, 'read head', { send: OK }] as const;
  const server = await origin({ script });
  const transport = transportOf();
  const to = destination(server.port);
  const { heard }: Sent = begin(transport, attempt(to, { method, body }));
  await heard.begun;
  const again = async (): Promise<unknown[]> => {
    const second = await send(transport, attempt(to));
    return [second.status, second.reused];
  };
  return { server, heard, again };
}
