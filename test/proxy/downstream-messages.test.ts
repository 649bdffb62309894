import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { ExchangeInbox } from '../kit/exchange-inbox.ts';
import { startListener } from '../kit/listener.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';

describe('requests', () => {
  test('fields keep order, case and repeats', async () => {
    const { port, inbox } = await startListener();
    const reply = exchangeRaw(
      { port },
      'GET /a%2Fb?q=%zz HTTP/1.1\r\nhOST: Shop.test\r\nX-Dup: 1\r\nAccept: */*\r\nx-dup: 2\r\n\r\n',
    );
    const held = await inbox.next();
    expect(held.exchange.request).toEqual({
      method: 'GET',
      target: '/a%2Fb?q=%zz',
      authority: 'Shop.test',
      scheme: 'http',
      version: '1.1',
      headers: ['hOST', 'Shop.test', 'X-Dup', '1', 'Accept', '*/*', 'x-dup', '2'],
    });
    held.respond(204);
    await reply;
  });

  test('an absolute-form target brings its own authority', async () => {
    const { port, inbox } = await startListener();
    const reply = exchangeRaw({ port }, 'GET http://evil.test/x HTTP/1.1\r\nHost: a\r\n\r\n');
    const held = await inbox.next();
    expect(held.exchange.request).toMatchObject({ target: '/x', authority: 'evil.test' });
    held.respond(204);
    await reply;
  });

  test.each(['QUERY', 'PROPFIND', 'DELETE', 'TRACE', 'PURGE', 'M-SEARCH', 'OPTIONS'])(
    '%s is a method like any other',
    async (method) => {
      const { port, inbox } = await startListener();
      const reply = exchangeRaw({ port }, `${method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`);
      const held = await inbox.next();
      expect(held.exchange.request.method).toBe(method);
      expect((await held.body()).text).toBe('hi');
      held.respond(200, [], 'yes');
      expect((await reply).text).toBe('yes');
    },
  );

  test.each([
    ['text/plain over 1 MiB', 'text/plain', 1_100_000],
    ['a content type that is none', 'foo', 10],
    ['JSON that is none', 'application/json', 10],
    ['no content type', '', 10],
  ])('a body is never parsed: %s', async (_name, type, length) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\n${type === '' ? '' : `Content-Type: ${type}\r\n`}Content-Length: ${length}\r\n\r\n`,
    );
    client.send('{'.repeat(length));
    const held = await inbox.next();
    expect((await held.body()).bytes).toHaveLength(length);
    held.respond(200, [], 'ok');
    expect((await client.response()).status).toBe(200);
    expect(held.exchange.bytesIn).toBe(length);
  });

  test('trailers of a request are delivered with its end', async () => {
    const { port, inbox } = await startListener();
    const reply = exchangeRaw(
      { port },
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n',
    );
    const held = await inbox.next();
    expect(held.exchange.requestBody.length).toBeNull();
    expect(await held.body()).toMatchObject({ text: 'abc', trailers: ['X-Sum', '1', 'x-sum', '2'], failure: null });
    held.respond(204);
    await reply;
  });

  test('a GET with a body is delivered with it, and the next request is found behind it', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    const first = await inbox.next();
    expect((await first.body()).text).toBe('abc');
    first.respond(200, [], 'one');
    const second = await inbox.next();
    expect(second.exchange.request.target).toBe('/2');
    second.respond(200, [], 'two');
    expect([(await client.response()).text, (await client.response()).text]).toEqual(['one', 'two']);
  });

  test('a body that nobody asked for does not leave its bytes on the connection', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    (await inbox.next()).respond(302, ['Location', '/']);
    const second = await inbox.next();
    expect(second.exchange.request.target).toBe('/2');
    second.respond(204);
    expect((await client.response()).header('connection')).toBe('keep-alive');
    expect((await client.response()).status).toBe(204);
  });

  test('pipelined requests are handled one after another and answered in order', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    const count = 100;
    client.send(Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    for (let i = 0; i < count; i += 1) {
      const held = await inbox.next();
      expect(held.exchange.request.target).toBe(`/${i}`);
      expect(inbox.held).toHaveLength(i + 1);
      held.respond(200, [], String(i));
      expect((await client.response()).text).toBe(String(i));
    }
  });
});

describe('responses', () => {
  async function answered(request: string, answer: (inbox: ExchangeInbox) => Promise<void>) {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(request);
    await answer(inbox);
    return client.response(request.slice(0, request.indexOf(' ')));
  }

  test('fields keep order, case and repeats', async () => {
    const reply = await answered('GET / HTTP/1.1\r\nHost: a\r\n\r\n', async (inbox) =>
      (await inbox.next()).respond(
        200,
        [
          'Set-Cookie',
          'a=1',
          'WWW-Authenticate',
          'Basic',
          'set-cookie',
          'b=2',
          'www-authenticate',
          'Bearer',
          'X-Dup',
          '1',
          'x-dup',
          '2',
          'Date',
          'long ago',
        ],
        'x',
      ),
    );
    expect(reply.headers.slice(0, 14)).toEqual([
      'Set-Cookie',
      'a=1',
      'WWW-Authenticate',
      'Basic',
      'set-cookie',
      'b=2',
      'www-authenticate',
      'Bearer',
      'X-Dup',
      '1',
      'x-dup',
      '2',
      'Date',
      'long ago',
    ]);
    expect(reply.all('date')).toEqual(['long ago']);
  });

  test('bytes beyond ASCII in a field are not changed, not even after a length', async () => {
    const reply = await answered('GET / HTTP/1.1\r\nHost: a\r\n\r\n', async (inbox) =>
      (await inbox.next()).respond(
        200,
        ['Content-Length', '1', 'Content-Disposition', 'attachment; filename="\u00c3\u00a9"'],
        'x',
      ),
    );
    expect(reply.header('content-disposition')).toBe('attachment; filename="\u00c3\u00a9"');
  });

  test('a Date is added only where there is none', async () => {
    const reply = await answered('GET / HTTP/1.1\r\nHost: a\r\n\r\n', async (inbox) =>
      (await inbox.next()).respond(200, [], 'x'),
    );
    expect(reply.all('date')).toHaveLength(1);
  });

  test('1xx reach the client with their fields as they were, before the response', async () => {
    const reply = await answered('GET / HTTP/1.1\r\nHost: a\r\n\r\n', async (inbox) => {
      const held = await inbox.next();
      held.exchange.response.informational(102, []);
      held.exchange.response.informational(103, [
        'Link',
        '</a.css>; rel=preload; as=style',
        'link',
        '</b.js>',
        'X-A',
        '1',
      ]);
      held.respond(200, [], 'x');
    });
    expect(reply.informational).toEqual([
      { status: 102, fields: [] },
      { status: 103, fields: ['Link', '</a.css>; rel=preload; as=style', 'link', '</b.js>', 'X-A', '1'] },
    ]);
    expect(reply.text).toBe('x');
  });

  test('1xx never reach an HTTP/1.0 client', async () => {
    const reply = await answered('GET / HTTP/1.0\r\n\r\n', async (inbox) => {
      const held = await inbox.next();
      held.exchange.response.informational(103, ['Link', '</a>']);
      held.respond(200, [], 'x');
    });
    expect(reply.informational).toHaveLength(0);
  });

  test('a body of unknown length is chunked, and its trailers follow', async () => {
    const reply = await answered('GET / HTTP/1.1\r\nHost: a\r\n\r\n', async (inbox) => {
      const { response } = (await inbox.next()).exchange;
      response.start({ status: 200, headers: ['Trailer', 'grpc-status'] });
      response.data(Buffer.from('abc'));
      response.data(Buffer.from('def'));
      response.end(['grpc-status', '0', 'X-Sum', '1']);
    });
    expect(reply).toMatchObject({ text: 'abcdef', trailers: ['grpc-status', '0', 'X-Sum', '1'], complete: true });
    expect(reply.header('trailer')).toBe('grpc-status');
  });

  test('an HTTP/1.0 client gets no chunks but the end of the connection', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.0\r\nTE: chunked\r\nConnection: keep-alive\r\n\r\n');
    const { response } = (await inbox.next()).exchange;
    response.start({ status: 200, headers: [] });
    response.data(Buffer.from('abc'));
    response.end(['X-Sum', '1']);
    const reply = await client.rest();
    expect(reply).not.toContain('chunked');
    expect(reply.endsWith('\r\n\r\nabc')).toBe(true);
  });

  test('an HTTP/1.0 client that asks to be kept alive is, when the length is known', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    for (const target of ['/1', '/2']) {
      client.send(`GET ${target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n`);
      (await inbox.next()).respond(200, [], target);
      expect((await client.response()).text).toBe(target);
    }
  });

  test.each([
    ['HEAD with a length', 'HEAD', 200, ['Content-Length', '5'], '5'],
    ['HEAD without a length', 'HEAD', 200, [], null],
    ['304 with a length', 'GET', 304, ['Content-Length', '5', 'ETag', '"x"'], '5'],
    ['304 without a length', 'GET', 304, ['ETag', '"x"'], null],
    ['204', 'GET', 204, [], null],
    ['204 with a length, which must not be sent', 'GET', 204, ['Content-Length', '0'], null],
  ])('%s has no body, and the connection goes on', async (_name, method, status, headers, length) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    const { response } = (await inbox.next()).exchange;
    response.start({ status, headers });
    response.data(Buffer.from('hello'));
    response.end(null);
    const reply = await client.response(method);
    expect([reply.status, reply.text, reply.header('content-length')]).toEqual([status, '', length]);
    expect(reply.header('transfer-encoding')).toBeNull();
    client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    (await inbox.next()).respond(200, [], 'next');
    expect((await client.response()).text).toBe('next');
  });

  test('a head goes out before its body', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
    const { response } = (await inbox.next()).exchange;
    response.start({ status: 200, headers: ['Content-Type', 'text/event-stream'] });
    expect(await client.until('\r\n\r\n')).toContain('text/event-stream');
    response.data(Buffer.from('data: 1\n\n'));
    expect(await client.until('data: 1\n\n')).toContain('9\r\n');
  });

  test('a failure after the head is a visible truncation: the connection dies without a last chunk', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const held = await inbox.next();
    held.exchange.response.start({ status: 200, headers: [] });
    held.exchange.response.data(Buffer.from('abc'));
    await client.until('abc');
    held.exchange.response.fail(incomplete());
    expect(await client.rest()).toBe('\r\n');
    await held.closed();
  });

  test('fewer bytes than announced are not a clean end', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { response } = (await inbox.next()).exchange;
    response.start({ status: 200, headers: ['Content-Length', '10'] });
    response.data(Buffer.from('abc'));
    const reply = client.response();
    await new Promise((resolve) => setImmediate(resolve));
    response.end(null);
    expect(await reply).toMatchObject({ text: 'abc', complete: false });
  });

  test.each([
    ['a line break in a value', 200, ['X-A', 'a\r\nSet-Cookie: b']],
    ['a name that is no token', 200, ['X A', '1']],
    ['a status that is none', 99, []],
  ])('a head that would break the message becomes a 502: %s', async (_name, status, headers) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const held = await inbox.next();
    held.exchange.response.start({ status, headers });
    expect(held.exchange.response.data(Buffer.from('abc'))).toBe(true);
    held.exchange.response.end(null);
    const reply = await client.response();
    expect([reply.status, reply.text]).toEqual([502, '']);
    expect(reply.header('proxy-status')).toBe('headgate; error=http_protocol_error');
    await held.closed();
  });

  test('Connection and framing fields of an answer are ours alone', async () => {
    const reply = await answered('GET / HTTP/1.1\r\nHost: a\r\n\r\n', async (inbox) =>
      (await inbox.next()).respond(
        200,
        ['Connection', 'X-Hop', 'Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=9'],
        'x',
      ),
    );
    expect(reply.all('connection')).toEqual(['keep-alive']);
    expect(reply.header('transfer-encoding')).toBeNull();
    expect(reply.text).toBe('x');
  });

  test('10 000 requests on one connection leave no listeners behind', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    const { port } = await startListener({
      handle: (exchange) => exchange.response.respond({ status: 200, headers: [] }, Buffer.from('x')),
    });
    const client = await RawClient.connect({ port });
    const batch = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100);
    for (let i = 0; i < 100; i += 1) {
      client.send(batch);
      for (let n = 0; n < 100; n += 1) await client.response();
    }
    process.off('warning', onWarning);
    expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
  });
});

function incomplete(): GatewayError {
  return new GatewayError('http_response_incomplete', { blame: 'upstream', status: 502, reason: 'upstream-reset' });
}
