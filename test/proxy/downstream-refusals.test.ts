import { describe, expect, test } from 'vitest';
import { startListener } from '../kit/listener.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';

describe('what a parser might read in two ways is refused, and the connection closed', () => {
  test.each([
    ['two Host fields', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'several-hosts'],
    ['a malformed Host', 'GET / HTTP/1.1\r\nHost: a b/@c\r\n\r\n', 400, 'bad-host'],
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'no-host'],
    [
      'gzip, chunked',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      501,
      'transfer-coding',
    ],
    [
      'Transfer-Encoding in HTTP/1.0',
      'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'transfer-encoding-in-http-1.0',
    ],
    ['HTTP/2.0 on an HTTP/1 connection', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505, 'http-version'],
    ['HTTP/3.0', 'GET / HTTP/3.0\r\nHost: a\r\n\r\n', 505, 'http-version'],
    ['a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      null,
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc', 400, null],
    ['a signed length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab', 400, null],
    ['a folded field', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n', 400, null],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400, null],
    ['a NUL in a field', 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n', 400, null],
    ['bare line feeds', 'GET / HTTP/1.1\nHost: a\n\n', 400, null],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nHost: a\r\n\r\n', 501, 'unknown-method'],
    ['what is not HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'not-http'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501, 'connect'],
    [
      'an expectation that nobody can meet',
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\nContent-Length: 1\r\n\r\n',
      417,
      'expectation',
    ],
    ['asterisk for GET', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'bad-target'],
  ])('%s', async (_name, request, status, reason) => {
    const { port, inbox, ...listener } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(request);
    const reply = await client.response();
    expect(reply.status).toBe(status);
    expect(reply.header('proxy-status')).toBe('headgate; error=http_request_error');
    expect(reply.header('connection')).toBe('close');
    expect(listener.refusals).toMatchObject([{ listener: 'web', peer: '127.0.0.1', status }]);
    if (reason !== null) expect(listener.refusals[0]?.reason).toBe(reason);
    expect(inbox.held).toHaveLength(0);
    expect(await client.closed()).toBe('end');
  });

  test('a refused request hides what follows it on the connection', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    const answer = await client.rest();
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(inbox.held).toHaveLength(0);
  });
});

describe('limits of a head', () => {
  test('a head beyond headerBytes is 431, though it never ends', async () => {
    const { port, refusals } = await startListener({ limits: { headerBytes: 2048 } });
    const reply = await exchangeRaw({ port }, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(4096)}`);
    expect(reply.status).toBe(431);
    expect(refusals).toMatchObject([{ status: 431, reason: 'head-too-large' }]);
  });

  test('more fields than headerCount are 431', async () => {
    const { port, refusals } = await startListener({ limits: { headerCount: 3 } });
    const reply = await exchangeRaw({ port }, 'GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n');
    expect(reply.status).toBe(431);
    expect(refusals).toMatchObject([{ status: 431, reason: 'too-many-fields' }]);
  });

  test('a second Host far down a long list is still found', async () => {
    const { port } = await startListener({ limits: { headerCount: 5000, headerBytes: 65_536 } });
    const reply = await exchangeRaw({ port }, `GET / HTTP/1.1\r\nHost: a\r\n${'A: 1\r\n'.repeat(2500)}Host: b\r\n\r\n`);
    expect(reply.status).toBe(400);
  });
});

describe('field names with an underscore', () => {
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\nX-A: 1\r\n\r\n';

  test('are dropped by default', async () => {
    const { port, inbox } = await startListener();
    const reply = exchangeRaw({ port }, request);
    const held = await inbox.next();
    expect(held.exchange.request.headers).toEqual(['Host', 'a', 'X-A', '1']);
    held.respond(204);
    expect((await reply).status).toBe(204);
  });

  test('are refused if configured', async () => {
    const { port } = await startListener({ over: { underscores: 'refuse' } });
    expect((await exchangeRaw({ port }, request)).status).toBe(400);
  });

  test('are kept if configured', async () => {
    const { port, inbox } = await startListener({ over: { underscores: 'keep' } });
    const reply = exchangeRaw({ port }, request);
    const held = await inbox.next();
    expect(held.exchange.request.headers).toContain('X_Forwarded_For');
    held.respond(204);
    await reply;
  });
});

describe('a request that breaks off in its body', () => {
  test('malformed chunks fail the body, and the exchange can still be answered', async () => {
    const { port, inbox, refusals } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    const held = await inbox.next();
    const body = held.body();
    client.send('zz\r\n');
    expect((await body).failure).toMatchObject({ status: 400, reason: 'malformed-body' });
    held.respond(400, [], 'no');
    const reply = await client.response();
    expect([reply.status, reply.text, reply.header('connection')]).toEqual([400, 'no', 'close']);
    await held.closed();
    expect(refusals).toHaveLength(0);
  });

  test('garbage behind a complete request does not harm its answer, which is the last', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n\x01garbage\r\n\r\n');
    const held = await inbox.next();
    held.respond(200, [], 'fine');
    expect((await client.response()).text).toBe('fine');
    expect(await client.closed()).toBe('end');
  });
});
