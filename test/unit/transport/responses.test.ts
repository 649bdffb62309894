import { describe, expect, test } from 'vitest';
import { attempt, begin, destination, FedBody, readyBody, send, transportOf } from '../../kit/attempt.ts';
import { origin } from '../../kit/origin.ts';
import type { Script, Step } from '../../kit/script.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

/** Answers the first connection with these steps, any later one properly. */
function once(...steps: Step[]): { scripts: readonly Script[] } {
  return { scripts: [['read head', ...steps], ['respond 200']] };
}

describe('a response whose framing is doubtful is a 502, and its connection is closed', () => {
  test.each([
    ['a tab after `chunked`', `${OK}Transfer-Encoding: chunked\t\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['a space after `chunked`', `${OK}Transfer-Encoding: chunked \r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['another coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['chunked twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['a length, then chunked', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['chunked, then a length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['two equal lengths', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['a list of lengths', `${OK}Content-Length: 3, 3\r\n\r\nabc`],
    ['a signed length', `${OK}Content-Length: +3\r\n\r\nabc`],
    ['a folded line', `${OK}X-A: a\r\n b\r\nContent-Length: 3\r\n\r\nabc`],
    ['a space before the colon', `${OK}Content-Length : 3\r\n\r\nabc`],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 3\n\nabc'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['status 000', 'HTTP/1.1 000 Odd\r\nContent-Length: 3\r\n\r\nabc'],
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
    ['a 101 without Upgrade', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ])('%s', async (_what, bytes) => {
    const server = await origin(once({ send: bytes }, 'silent'));
    const out = transportOf();
    const heard = await send(out, attempt(destination(server.port)));
    expect(heard.calls).toEqual(['sent', 'fail']);
    expect([heard.error?.code, heard.error?.status, heard.error?.retry, heard.error?.blame]).toEqual([
      'http_protocol_error',
      502,
      'never',
      'upstream',
    ]);
    await server.closed(1);
    expect((await send(out, attempt(destination(server.port)))).reused).toEqual([false]);
  });

  test('more interim responses than anybody needs', async () => {
    const server = await origin(once({ send: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100) }, 'silent'));
    const heard = await send(transportOf(), attempt(destination(server.port)));
    expect(heard.error?.reason).toBe('too-many-interim-responses');
    await server.closed(1);
  });
});

test('an unsolicited 100 is passed over (RFC 9110 §15.2), but not for ever', async () => {
  const one = 'HTTP/1.1 100 Continue\r\n\r\n';
  const server = await origin({
    scripts: [
      ['read head', { send: `${one}${one}${OK}Content-Length: 2\r\n\r\nok` }, 'silent'],
      ['read head', { send: one.repeat(100) }, 'silent'],
    ],
  });
  const out = transportOf({ http1: 'lean' });
  const heard = await send(out, attempt(destination(server.port, {}, { maxRequests: 1 })));
  expect([heard.calls, heard.status, heard.body]).toEqual([['sent', 'head', 'data', 'end'], 200, 'ok']);
  const never = await send(out, attempt(destination(server.port)));
  expect([never.calls, never.error?.reason]).toEqual([['sent', 'fail'], 'too-many-interim-responses']);
});

test('to undici an unsolicited 100 is a 502 with its own reason, and never more than that', async () => {
  const server = await origin(once({ send: `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 0\r\n\r\n` }, 'silent'));
  const heard = await send(transportOf({ http1: 'undici' }), attempt(destination(server.port)));
  expect([heard.error?.code, heard.error?.reason, heard.error?.status]).toEqual([
    'http_protocol_error',
    'unexpected-continue',
    502,
  ]);
});

test('bytes behind the end of a response close the connection, and are nobody’s response', async () => {
  const stray = `${OK}Content-Length: 6\r\n\r\npoison`;
  const server = await origin(once({ send: `${OK}Content-Length: 2\r\n\r\nok${stray}` }, 'silent'));
  const out = transportOf();
  expect((await send(out, attempt(destination(server.port)))).body).toBe('ok');
  await server.closed(1);
  const next = await send(out, attempt(destination(server.port)));
  expect([next.body, next.reused]).toEqual(['ok\n', [false]]);
});

test('bytes that arrive on an idle connection close it', async () => {
  let speak = () => {};
  const later = new Promise<void>((resolve) => {
    speak = resolve;
  });
  const server = await origin(
    once('respond 200', { wait: later }, { send: `${OK}Content-Length: 6\r\n\r\npoison` }, 'silent'),
  );
  const out = transportOf();
  await send(out, attempt(destination(server.port)));
  speak();
  await server.closed(1);
  const next = await send(out, attempt(destination(server.port)));
  expect([next.body, next.reused]).toEqual(['ok\n', [false]]);
});

describe('a response without a body', () => {
  test.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: keep-alive\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ])('%s answered by %j ends at once and keeps the connection', async (method, bytes) => {
    const server = await origin({ script: ['read head', { send: bytes }] });
    const out = transportOf();
    for (const reused of [false, true]) {
      const heard = await send(out, attempt(destination(server.port), { method }));
      expect(heard.calls).toEqual(['sent', 'head', 'end']);
      expect(heard.reused).toEqual([reused]);
    }
  });

  test.each([
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n',
    'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
  ])('%j is fine as well, length and all', async (bytes) => {
    const server = await origin(once({ send: bytes }, 'silent'));
    const heard = await send(transportOf(), attempt(destination(server.port)));
    expect(heard.calls).toEqual(['sent', 'head', 'end']);
    expect(heard.head_?.headers).toContain('Content-Length');
  });
});

test('interim responses are handed on before the final one', async () => {
  const server = await origin(
    once(
      { send: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n` },
      'respond 200',
    ),
  );
  const heard = await send(transportOf(), attempt(destination(server.port)));
  expect(heard.calls).toEqual(['sent', '103', '102', 'head', 'data', 'end']);
  expect(heard.interim[0]).toEqual({ status: 103, headers: ['Link', '</a>', 'Link', '</b>'] });
});

test('trailers are handed on with the end', async () => {
  const server = await origin(
    once({ send: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nGrpc-Status: 0\r\nX-Sum: a \r\n\r\n` }),
  );
  const heard = await send(transportOf(), attempt(destination(server.port)));
  expect([heard.body, heard.trailers]).toEqual(['abc', ['Grpc-Status', '0', 'X-Sum', 'a']]);
});

test('a body without length ends with the connection', async () => {
  const server = await origin(once({ send: `${OK}\r\nabc` }, 'end'));
  const heard = await send(transportOf(), attempt(destination(server.port)));
  expect([heard.body, heard.calls.at(-1)]).toEqual(['abc', 'end']);
});

test('a head of 48 KiB passes, one over the limit is a 502 with its own code', async () => {
  const server = await origin({
    scripts: [
      [{ respond: 200, headers: ['X-Large', 'a'.repeat(48 * 1024)] }],
      [{ respond: 200, headers: ['X-Large', 'a'.repeat(66 * 1024)] }],
    ],
  });
  const out = transportOf();
  const large = await send(out, attempt(destination(server.port, {}, { keepAliveMs: 0 })));
  expect(large.head_?.headers[1]?.length).toBe(48 * 1024);
  const huge = await send(out, attempt(destination(server.port, {}, { keepAliveMs: 0 })));
  expect([huge.error?.code, huge.error?.status]).toEqual(['http_response_header_section_size', 502]);
  await server.closed(2);
});

describe('a connection that dies', () => {
  test.each(['reset', 'end'] as const)(
    'by %s on a fresh connection before any byte may not be repeated',
    async (how) => {
      const server = await origin(once(how));
      const heard = await send(transportOf(), attempt(destination(server.port)));
      expect([heard.error?.code, heard.error?.retry, heard.error?.status]).toEqual([
        'connection_terminated',
        'never',
        502,
      ]);
    },
  );

  test.each(['reset', 'end'] as const)('by %s on a reused connection before any byte may be repeated', async (how) => {
    const server = await origin({ scripts: [['respond 200', 'read head', how]] });
    const out = transportOf();
    await send(out, attempt(destination(server.port)));
    const heard = await send(out, attempt(destination(server.port)));
    expect(heard.reused).toEqual([true]);
    expect([heard.error?.code, heard.error?.retry, heard.error?.status]).toEqual([
      'connection_terminated',
      'if-reused',
      502,
    ]);
  });

  test.each([
    ['H', 'reset'],
    ['HTTP/1.1 200 OK\r\nContent-', 'reset'],
    ['HTTP/1.1 200 OK\r\nContent-', 'end'],
    ['HTTP/1.1 103 Early Hints\r\n\r\n', 'reset'],
  ] as const)('after %j by %s may not be repeated, reused or not', async (bytes, how) => {
    const server = await origin({ scripts: [['respond 200', 'read head', { sendEach: [bytes, ''] }, how]] });
    const out = transportOf();
    await send(out, attempt(destination(server.port)));
    const heard = await send(out, attempt(destination(server.port)));
    expect([heard.error?.code, heard.error?.retry]).toEqual(['http_response_incomplete', 'never']);
  });

  test.each([
    ['Content-Length: 10\r\n\r\nabc', 'reset'],
    ['Content-Length: 10\r\n\r\nabc', 'end'],
    ['Connection: close\r\nContent-Length: 10\r\n\r\nabc', 'reset'],
    ['Connection: close\r\nContent-Length: 10\r\n\r\nabc', 'end'],
    ['Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'reset'],
    ['Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'end'],
    ['Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'end'],
    ['\r\nabc', 'reset'],
  ] as const)('within the body %j by %s is a failure, never an end', async (rest, how) => {
    const server = await origin(once({ sendEach: [OK + rest, ''] }, how));
    const heard = await send(transportOf(), attempt(destination(server.port)));
    expect(heard.calls).toEqual(['sent', 'head', 'data', 'fail']);
    expect([heard.body, heard.error?.code, heard.error?.retry]).toEqual(['abc', 'http_response_incomplete', 'never']);
  });

  test('while the body is being sent', async () => {
    const server = await origin({ scripts: [['read head', 'read 4 bytes', 'reset']] });
    const body = new FedBody(8);
    const { heard } = begin(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
    await body.piped;
    body.feed('abcd');
    await heard.over;
    expect([heard.error?.code, heard.error?.retry]).toEqual(['connection_terminated', 'never']);
    expect([body.untouched, body.unpipes]).toEqual([false, 1]);
  });
});

test('a response that comes before the request is through is handed on, and its connection closed', async () => {
  const refusal = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nbig\n';
  const server = await origin(once({ send: refusal }, 'silent'));
  const out = transportOf();
  const body = new FedBody(1_000_000);
  const { heard } = begin(out, attempt(destination(server.port), { method: 'POST', body }));
  await body.piped;
  body.feed('some');
  await heard.over;
  expect([heard.status, heard.body, heard.calls.at(-1)]).toEqual([413, 'big\n', 'end']);
  expect(body.unpipes).toBe(1);
  await server.closed(1);
  expect((await send(out, attempt(destination(server.port)))).reused).toEqual([false]);
});

test('a 413 with a close reaches the receiver although the upload runs into the reset', async () => {
  const refusal = 'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbig\n';
  const server = await origin(once({ send: refusal }, 'close'));
  const body = new FedBody(100_000_000);
  const { heard } = begin(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
  await body.piped;
  const chunk = Buffer.alloc(64 * 1024, 'x');
  while (heard.error === null && heard.calls.at(-1) !== 'end') {
    body.feed(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect([heard.status, heard.body]).toEqual([413, 'big\n']);
});

test('a body that its sender breaks off closes the connection and passes the reason on', async () => {
  const { clientGone } = await import('../../../src/errors.ts');
  const server = await origin();
  const body = new FedBody(10);
  const { heard } = begin(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
  await body.piped;
  body.feed('abc');
  await server.request();
  body.break(clientGone());
  await heard.over;
  expect(heard.error?.reason).toBe('client-gone');
  await server.closed(1);
  expect(server.received[0]?.complete).toBe(false);
});

test.each([
  ['too little', 'abc'],
  ['too much', 'abcdefghijkl'],
])('a body that delivers %s for its length never reaches the endpoint as a whole request', async (_what, bytes) => {
  const server = await origin({ script: ['read head', 'read body', 'silent'] });
  const body = new FedBody(10);
  const { heard } = begin(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
  await body.piped;
  body.feed(bytes);
  body.finish();
  await heard.over;
  expect([heard.error?.blame, heard.error?.status]).toEqual(['client', 400]);
  await server.connected(1);
  await server.closed(1);
  expect(server.received.some((received) => received.complete)).toBe(false);
});

test('a request that can’t be written fails without a connection being lost', async () => {
  const server = await origin();
  const out = transportOf();
  await send(out, attempt(destination(server.port)));
  const bad = await send(out, attempt(destination(server.port), { headers: ['Host', 'a', 'X-Bad', 'a\nb'] }));
  expect([bad.error?.code, bad.error?.status, bad.error?.reason]).toEqual([
    'proxy_internal_error',
    500,
    'unsendable-request',
  ]);
  const good = await send(out, attempt(destination(server.port), { body: readyBody('x') }));
  expect(good.reused).toEqual([true]);
});

test.each([
  ['CONNECT', 'a:443'],
  ['OPTIONS', '*'],
])('%s %s is refused as not supported', async (method, target) => {
  const heard = await send(transportOf(), attempt(destination(1), { method, target }));
  expect([heard.error?.status, heard.calls]).toEqual([501, ['fail']]);
});
