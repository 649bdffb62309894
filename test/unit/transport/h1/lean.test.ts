import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { GatewayError } from '../../../../src/errors.ts';
import { attempt, begin, destination, FedBody, Heard, send, transportOf } from '../../../kit/attempt.ts';
import { certificateFor } from '../../../kit/certificate.ts';
import { until } from '../../../kit/deadline.ts';
import { origin } from '../../../kit/origin.ts';

const MIB = 1024 * 1024;

/** Everything that came through an upgraded connection. */
function textOf(heard: Heard): () => string {
  let text = '';
  heard.channel?.source.pipe({
    onDrain: null,
    data: (chunk) => {
      text += Buffer.from(chunk).toString('latin1');
      return true;
    },
    end: () => {},
    fail: () => {},
  });
  return () => text;
}

describe('a connection that has carried requests', () => {
  test.each(['plain', 'TLS'])('is upgraded as well as a fresh one, over %s', async (over) => {
    const certificate = await certificateFor(['shop.test']);
    const server = await origin({
      ...(over === 'TLS' ? { tls: certificate } : {}),
      script: ['respond 200', 'read head', { upgrade: 'websocket', first: 'first ' }, 'echo'],
    });
    const tls = over === 'TLS' ? { serverName: 'shop.test', ca: certificate.cert, insecure: false } : null;
    const out = transportOf();
    const to = destination(server.port, { tls });
    expect((await send(out, attempt(to))).body).toBe('ok\n');
    const heard = await send(out, attempt(to, { upgrade: 'websocket' }));
    expect([heard.calls, heard.reused]).toEqual([['sent', 'upgraded'], [true]]);
    const text = textOf(heard);
    const sent = 'x'.repeat(300_000);
    heard.channel?.sink.data(Buffer.from(sent));
    await until(() => text().length === sent.length + 6, 'the echo');
    expect(text()).toBe(`first ${sent}`);
    heard.channel?.source.discard();
    await server.closed(1);
  });
});

describe('a receiver that throws', () => {
  test.each(['sent', 'informational', 'head', 'data'] as const)(
    'out of %s is told so, and nobody else suffers',
    async (where) => {
      const server = await origin({
        scripts: [['read head', { send: 'HTTP/1.1 103 Early Hints\r\n\r\n' }, 'respond 200'], ['respond 200']],
      });
      const out = transportOf();
      const heard = new Heard();
      const bug = new TypeError('x is not a function');
      heard[where] = () => {
        throw bug;
      };
      out.send(attempt(destination(server.port)), heard);
      await heard.over;
      expect([heard.error?.code, heard.error?.status, heard.error?.cause]).toEqual(['proxy_internal_error', 500, bug]);
      await server.closed(1);
      expect((await send(out, attempt(destination(server.port)))).status).toBe(200);
    },
  );

  test('out of end, or of fail, has had its say', async () => {
    const server = await origin({ scripts: [['respond 200', 'read head', 'reset'], ['respond 200']] });
    const out = transportOf();
    for (const where of ['end', 'fail'] as const) {
      const heard = new Heard();
      const original = heard[where].bind(heard) as (argument: never) => void;
      heard[where] = (argument: unknown) => {
        original(argument as never);
        throw new TypeError('x is not a function');
      };
      out.send(attempt(destination(server.port)), heard);
      await heard.over;
      expect(heard.calls.at(-1)).toBe(where);
    }
    expect((await send(out, attempt(destination(server.port)))).status).toBe(200);
  });
});

describe('over TLS a reader that has stopped when the endpoint ends the connection gets what came before', () => {
  const body = 'x'.repeat(40_000);
  const chunk = `9c40\r\n${body}\r\n`;
  test.each([
    ['by the end of the connection', 'Connection: close', body, [body.length, 'end', undefined]],
    ['by Content-Length', 'Content-Length: 40000', body, [body.length, 'end', undefined]],
    ['in chunks', 'Transfer-Encoding: chunked', `${chunk}0\r\n\r\n`, [body.length, 'end', undefined]],
    ['cut short', 'Content-Length: 40001', body, [body.length, 'fail', 'body-cut-short']],
    ['malformed', 'Transfer-Encoding: chunked', `${chunk}broken`, [body.length, 'fail', 'malformed-response']],
  ] as const)('of a body that is framed %s', async (_framing, field, sent, outcome) => {
    const certificate = await certificateFor(['shop.test']);
    const script = ['read head', { send: `HTTP/1.1 200 OK\r\n${field}\r\n\r\n${sent}` }, 'end', 'read end'] as const;
    const server = await origin({ tls: certificate, script });
    const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
    const { heard } = begin(transportOf({ http1: 'lean' }), attempt(destination(server.port, { tls })));
    heard.accepting = false;
    await heard.begun;
    await server.closed(1);
    await turn();
    heard.accepting = true;
    heard.onDrain?.();
    const { bytes, calls, error } = await heard.over;
    expect([bytes, calls.at(-1), error?.reason]).toEqual(outcome);
  });
});

test('over TLS a reader that stops gets nothing more until it goes on, and then all of it in order', async () => {
  const certificate = await certificateFor(['shop.test']);
  const size = 4 * MIB;
  const server = await origin({
    tls: certificate,
    script: ['read head', { send: `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n` }, { fill: size }],
  });
  const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
  const { heard } = begin(transportOf(), attempt(destination(server.port, { tls })));
  heard.accepting = false;
  heard.keepBody = false;
  await heard.begun;
  while (heard.calls.at(-1) !== 'end') {
    const before = heard.bytes;
    heard.onDrain?.();
    for (let i = 0; i < 20 && heard.bytes === before; i += 1) await turn();
    const after = heard.bytes;
    await turn();
    expect([heard.bytes, heard.error]).toEqual([after, null]);
  }
  expect(heard.bytes).toBe(size);
});

describe('the chunks of a response', () => {
  test('are the receiver’s: what is received later does not change them', async () => {
    const body = (letter: string) => `HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n${letter.repeat(40_000)}`;
    const server = await origin({ script: ['read head', { send: body('a') }, 'read head', { send: body('b') }] });
    const out = transportOf();
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < 2; i += 1) {
      const heard = new Heard();
      const { data } = heard;
      heard.data = (chunk) => {
        chunks.push(chunk);
        return data.call(heard, chunk);
      };
      out.send(attempt(destination(server.port)), heard);
      await heard.over;
    }
    expect(Buffer.concat(chunks).toString()).toBe('a'.repeat(40_000) + 'b'.repeat(40_000));
  });
});

describe('a request', () => {
  test.each([
    ['a line end in a value', { headers: ['Host', 'a', 'X-A', 'b\r\nX-Evil: 1'] }],
    ['a character beyond latin1', { headers: ['Host', 'a', 'X-A', '\u{100}'] }],
    ['a space in a name', { headers: ['Host', 'a', 'X A', 'b'] }],
    ['an empty name', { headers: ['Host', 'a', '', 'b'] }],
    ['two hosts', { headers: ['Host', 'a', 'host', 'b'] }],
    ['framing of its own', { headers: ['Host', 'a', 'Transfer-Encoding', 'chunked'] }],
    ['an upgrade of its own', { headers: ['Host', 'a', 'Upgrade', 'x'] }],
    ['an expectation', { headers: ['Host', 'a', 'Expect', '100-continue'] }],
    ['a space in its target', { target: '/a b' }],
    ['a line end in its target', { target: '/\r\nX-Evil:1' }],
    ['a space in its method', { method: 'GET /evil' }],
  ])('with %s is never sent, by neither, and its connection is as good as before', async (_what, over) => {
    const server = await origin();
    for (const http1 of ['lean', 'undici'] as const) {
      const out = transportOf({ http1 });
      await send(out, attempt(destination(server.port)));
      const heard = await send(out, attempt(destination(server.port), over));
      expect([heard.calls, heard.error?.reason]).toEqual([['fail'], 'unsendable-request']);
      expect((await send(out, attempt(destination(server.port)))).reused).toEqual([true]);
    }
    expect(server.requests).toBe(4);
  });

  test.each([
    ['GET', ['Host', 'a', 'Content-Length', '0', 'connection', 'x', 'X-A', ' b']],
    ['POST', ['X-A', 'b', 'HOST', 'a', 'content-length', '0']],
    ['DELETE', ['Host', 'a', 'X-A', 'J\xf6rg', 'X-B', '']],
    ['QUERY', ['X-A', 'b']],
  ])('by %s reaches the endpoint in the same bytes by both', async (method, headers) => {
    const seen: unknown[] = [];
    const bodies = (): (FedBody | null)[] => [null, new FedBody(0), new FedBody(4), new FedBody(null)];
    for (const http1 of ['lean', 'undici'] as const) {
      const server = await origin({ host: '127.0.0.1' });
      const out = transportOf({ http1 });
      for (const body of bodies()) {
        const heard = send(out, attempt(destination(server.port), { method, headers, body }));
        if (body !== null && body.length !== 0) {
          await body.piped;
          body.feed('a');
          body.feed('bcd');
          body.finish();
        }
        await heard;
      }
      seen.push(
        server.received.map(({ lines, text }) => [lines.map((line) => line.replace(String(server.port), '')), text]),
      );
    }
    expect(seen[0]).toEqual(seen[1]);
  });
});

test('an upload that is broken off before the endpoint was asked leaves its connection to others', async () => {
  const server = await origin();
  const out = transportOf();
  const to = destination(server.port);
  await send(out, attempt(to));
  const { inFlight, heard } = begin(out, attempt(to, { method: 'PUT', body: new FedBody(3) }));
  inFlight.cancel();
  expect((await send(out, attempt(to))).reused).toEqual([true]);
  const errors: (GatewayError | null)[] = [heard.error];
  expect([heard.calls, errors, server.accepted, server.requests]).toEqual([[], [null], 1, 2]);
});
