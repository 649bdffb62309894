import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CanonicalHead, type Scanned, scanHead } from '../../../src/downstream/fastlane/scan.ts';

const bounds = { bytes: 16_384, count: 100 };

function scan(text: string, from = 0): Scanned {
  const bytes = Buffer.from(text, 'latin1');
  return scanHead(bytes, from, bytes.length, bounds);
}

function head(...fields: string[]): string {
  return `GET / HTTP/1.1\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;
}

describe('a canonical head', () => {
  test('is taken apart, in received order and case, without blanks around values', () => {
    expect(
      scan(
        'POST /a%2Fb?q=1 HTTP/1.1\r\nhOst:shop.test:80\r\nX-A: \t a\tb \t\r\nX-A:\r\nContent-Length: 12\r\n\r\nbody',
      ),
    ).toEqual({
      method: 'POST',
      target: '/a%2Fb?q=1',
      host: 'shop.test:80',
      headers: ['hOst', 'shop.test:80', 'X-A', 'a\tb', 'X-A', '', 'Content-Length', '12'],
      contentLength: 12,
      closes: false,
      end: 87,
    });
  });

  test('is found in the middle of a packet', () => {
    const text = `xyz${head('Host: a', 'Connection: Close')}`;
    expect(scan(text, 3)).toMatchObject({ method: 'GET', host: 'a', closes: true, end: text.length });
  });

  test('may have values of latin1, which stay what they are (RFC 9110 §5.5)', () => {
    expect(scan(head('Host: a', 'X: caf\u00e9\u00ff'))).toMatchObject({
      headers: ['Host', 'a', 'X', 'caf\u00e9\u00ff'],
    });
  });

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('may be of %s', (method) => {
    expect(scan(head('Host: a').replace('GET', method))).toMatchObject({ method, target: '/' });
  });

  test('that has not come wholly is waited for, wherever it is cut', () => {
    const text = 'PUT /path?q HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nX: y \r\nContent-Length: 3\r\n\r\n';
    const length = text.indexOf(': 3\r\n');
    for (let cut = 'PUT '.length; cut < text.length; cut += 1) {
      // Node's parser reads a length as it comes, and so it is whole or somebody else's.
      const within = cut > length && cut < length + ': 3\r\n'.length;
      expect([cut, scan(text.slice(0, cut))]).toEqual([cut, within ? 'defer' : 'more']);
    }
    expect(typeof scan(text)).toBe('object');
  });

  test('is one up to the bounds', () => {
    const fields = Array.from({ length: 99 }, (_, i) => `X-${i}: y`);
    expect(typeof scan(head('Host: a', ...fields))).toBe('object');
    expect(scan(head('Host: a', ...fields, 'X: y'))).toBe('defer');
    const text = head('Host: a', `X: ${'y'.repeat(1000)}`);
    const bytes = Buffer.from(text);
    expect(typeof scanHead(bytes, 0, bytes.length, { bytes: bytes.length, count: 2 })).toBe('object');
    expect(scanHead(bytes, 0, bytes.length, { bytes: bytes.length - 1, count: 2 })).toBe('defer');
    expect(scanHead(bytes, 0, 1000, { bytes: 1000, count: 2 })).toBe('defer');
    expect(scanHead(bytes, 0, bytes.length, { bytes: 16_384, count: 1 })).toBe('defer');
  });
});

describe('deferred is', () => {
  test.each([
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a known one in lower case', 'get / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a preface', 'PRI * HTTP/2.0\r\n\r\n'],
    ['an empty line in front', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['absolute form (RFC 9112 §3.2.2)', 'GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target that is not ASCII', 'GET /\u00e9 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['two spaces', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['two spaces before the version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: a\r\n\r\n'],
    ['a bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['no Host (RFC 9112 §3.2)', head('X: y')],
    ['two of them', head('Host: a', 'Host: a')],
    ['a blank before the colon (RFC 9112 §5.1)', head('Host : a')],
    ['a name that is none', head('Host: a', 'X(y: z')],
    ['an empty name', head('Host: a', ': z')],
    ['no colon', head('Host: a', 'X')],
    ['a name with _', head('Host: a', 'X_Y: z')],
    ['a folded line (RFC 9112 §5.2)', head('Host: a', 'X: y\r\n z')],
    ['a bare LF in a field', head('Host: a', 'X: y\nZ: z')],
    ['a bare CR in a value', head('Host: a', 'X: y\rz')],
    ['a NUL', head('Host: a', 'X: y\0z')],
    ['a DEL', head('Host: a', 'X: y\x7fz')],
    ['a bare LF at the end', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['Transfer-Encoding', head('Host: a', 'transfer-encoding: chunked')],
    ['two lengths', head('Host: a', 'Content-Length: 1', 'Content-Length: 1')],
    ['a list of lengths', head('Host: a', 'Content-Length: 1, 1')],
    ['a signed length', head('Host: a', 'Content-Length: +1')],
    ['a hexadecimal length', head('Host: a', 'Content-Length: 0x1')],
    ['an empty length', head('Host: a', 'Content-Length:')],
    ['a length with zeros in front', head('Host: a', 'Content-Length: 01')],
    ['a length with a blank behind', head('Host: a', 'Content-Length: 1 ')],
    ['a length beyond 15 digits', head('Host: a', 'Content-Length: 1000000000000000')],
    ['Connection with a name', head('Host: a', 'Connection: X')],
    ['a list of Connection', head('Host: a', 'Connection: keep-alive, X')],
    ['two of them', head('Host: a', 'Connection: close', 'Connection: close')],
    ['an empty one', head('Host: a', 'Connection:')],
    ['Proxy-Connection, which Node’s parser reads as Connection', head('Host: a', 'Proxy-Connection: close')],
    ['Upgrade', head('Host: a', 'Upgrade: h2c')],
    ['HTTP2-Settings', head('Host: a', 'HTTP2-Settings: x')],
    ['Expect', head('Host: a', 'Expect: 100-continue')],
    ['TE', head('Host: a', 'TE: trailers')],
    ['Trailer', head('Host: a', 'Trailer: X')],
    ['Client-Cert (RFC 9440)', head('Host: a', 'Client-Cert: x')],
    ['Client-Cert-Chain', head('Host: a', 'client-cert-chain: x')],
  ])('%s', (_name, text) => {
    expect(scan(text)).toBe('defer');
  });

  test('what can’t become canonical, before its end has come: who answers is not kept waiting', () => {
    for (const text of [
      'X',
      'GET /a b',
      'GET / HTTP/1.0',
      'GET / HTTP/1.1\r\nHost: a\r\nTE: x\r\n',
      'GET / HTTP/1.1\r\nContent-Length:n',
      'GET / HTTP/1.1\r\nTransfer-Encoding:',
      head('X\0'),
    ])
      expect(scan(text)).toBe('defer');
  });
});

/** Node's HTTP server without a socket: what does its parser make of these bytes? */
async function parsedByNode(bytes: Buffer): Promise<IncomingMessage | null> {
  const wire = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | null>();
  const server = createServer({ requireHostHeader: false }, resolve);
  server.on('clientError', () => resolve(null));
  server.on('upgrade', () => resolve(null));
  server.emit('connection', wire);
  wire.push(bytes);
  wire.push(null);
  wire.on('end', () => setImmediate(resolve, null));
  const parsed = await promise;
  wire.destroy();
  return parsed;
}

test('whatever is accepted, Node’s parser accepts with the same meaning (RFC 9112 §11.2)', async () => {
  const whole =
    'POST /a?b=c HTTP/1.1\r\nHost: shop.test\r\nX-A:  b c \r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nabcde';
  const odd = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    ',',
    '_',
    '0',
    '\x7f',
    '\u00e9',
    'close',
    'Host: b\r\n',
    '#',
    '/',
  );
  const edits = fc.array(fc.tuple(fc.nat(whole.length), fc.constantFrom(0, 0, 1, 3), odd), {
    minLength: 1,
    maxLength: 3,
  });
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(edits, async (list) => {
      let text = whole;
      for (const [at, cut, insert] of list) text = text.slice(0, at) + insert + text.slice(at + cut);
      const scanned = scan(text);
      if (typeof scanned === 'string') return;
      accepted += 1;
      expect(meaningOf(await parsedByNode(Buffer.from(text, 'latin1')))).toEqual(meaning(scanned));
    }),
    { seed: 81, numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(200);
});

function meaning({ method, target, headers }: CanonicalHead): unknown {
  return { method, target, headers };
}

function meaningOf(request: IncomingMessage | null): unknown {
  return request === null ? null : { method: request.method, target: request.url, headers: request.rawHeaders };
}
