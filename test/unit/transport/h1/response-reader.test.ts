import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeaderList } from '../../../../src/http/headers.ts';
import {
  type ResponseFault,
  type ResponseListener,
  ResponseReader,
} from '../../../../src/transport/h1/response-reader.ts';

const MAX_HEAD_BYTES = 512;
const OK = 'HTTP/1.1 200 OK\r\n';
const LENGTH = `${OK}Content-Length: 5\r\n\r\nhello`;
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

/** Writes down what it hears, the pieces of the body as one, and holds the reader to the legal order. */
class Ear implements ResponseListener {
  readonly calls: unknown[] = [];
  body = '';
  /** Stops after each chunk; the test goes on at once. */
  stops = false;
  over = false;
  letsGo = false;

  interim(status: number, headers: HeaderList): void {
    this.#note([status, ...headers]);
  }

  head(status: number, headers: HeaderList, last: boolean): void {
    this.#note([status, ...headers, last ? 'last' : 'body']);
  }

  data(chunk: Buffer): boolean {
    if (this.over || chunk.length === 0) throw new Error('Heard data that is none');
    this.body += chunk.toString('latin1');
    return !this.stops;
  }

  whole(trailers: HeaderList | null, reusable: boolean): void {
    this.#note([this.body, ...(trailers ?? []), reusable ? 'reusable' : 'spent']);
    this.over = true;
  }

  broken(fault: ResponseFault): void {
    this.#note(fault);
    this.over = true;
  }

  #note(what: unknown): void {
    if (this.over) throw new Error(`Heard ${JSON.stringify(what)} after the end`);
    this.calls.push(what);
  }
}

/** What the reader tells of `text` as the response to `method`, received in these pieces, and then of the end if it waits for more. */
function read(pieces: readonly string[], method = 'GET', stops = false): unknown[] {
  const reader = new ResponseReader(MAX_HEAD_BYTES);
  const ear = new Ear();
  ear.stops = stops;
  reader.expect(method, ear);
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    reader.take(bytes, bytes.length);
    // What was received is another connection's by now.
    bytes.fill(0xee);
    while (reader.paused && !ear.over) reader.resume();
    if (ear.over) break;
  }
  if (!ear.over) ear.calls.push(reader.ended() ? 'ended' : 'cut short');
  return ear.calls;
}

describe('a response', () => {
  test.each([
    [
      'with a length',
      LENGTH,
      [
        [200, 'Content-Length', '5', 'body'],
        ['hello', 'reusable'],
      ],
    ],
    [
      'with a length of 0',
      `${OK}Content-Length: 0\r\n\r\n`,
      [
        [200, 'Content-Length', '0', 'last'],
        ['', 'reusable'],
      ],
    ],
    [
      'in chunks, with extensions and trailers',
      `${CHUNKED}3;a;b=c;d="e \\" f"\r\nhel\r\n0002\r\nlo\r\n0\r\nX-Sum: 1 \r\n\r\n`,
      [
        [200, 'Transfer-Encoding', 'chunked', 'body'],
        ['hello', 'X-Sum', '1', 'reusable'],
      ],
    ],
    ['without either', `${OK}\r\nhello`, [[200, 'body'], ['hello', 'spent'], 'ended']],
    [
      'behind interim ones',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${LENGTH}`,
      [[100], [103, 'Link', '</a>'], [200, 'Content-Length', '5', 'body'], ['hello', 'reusable']],
    ],
    [
      'cut short in its body',
      `${OK}Content-Length: 6\r\n\r\nhello`,
      [[200, 'Content-Length', '6', 'body'], 'cut short'],
    ],
    ['cut short in its head', `${OK}Content-Le`, ['cut short']],
    [
      'that says close',
      `${OK}Connection: a, Close\r\nContent-Length: 0\r\n\r\n`,
      [
        [200, 'Connection', 'a, Close', 'Content-Length', '0', 'last'],
        ['', 'spent'],
      ],
    ],
    [
      'of HTTP/1.0',
      'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n',
      [
        [200, 'Content-Length', '0', 'last'],
        ['', 'spent'],
      ],
    ],
    [
      'of HTTP/1.0 that says keep-alive',
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n',
      [
        [200, 'Connection', 'Keep-Alive', 'Content-Length', '0', 'last'],
        ['', 'reusable'],
      ],
    ],
    [
      'with more behind it',
      `${LENGTH}HTTP/1.1 200 OK\r\n\r\n`,
      [
        [200, 'Content-Length', '5', 'body'],
        ['hello', 'spent'],
      ],
    ],
    [
      'with a value around which there is space',
      `${OK}A: \t b c\t \r\nContent-Length: 0\r\n\r\n`,
      [
        [200, 'A', 'b c', 'Content-Length', '0', 'last'],
        ['', 'reusable'],
      ],
    ],
    [
      'with a byte beyond ASCII',
      `${OK}A: J\xf6rg\r\nContent-Length: 0\r\n\r\n`,
      [
        [200, 'A', 'J\xf6rg', 'Content-Length', '0', 'last'],
        ['', 'reusable'],
      ],
    ],
  ])('%s', (_what, text, calls) => {
    expect(read([text])).toEqual(calls);
  });

  test.each([
    ['HEAD', `${OK}Content-Length: 5\r\n\r\n`, 'reusable'],
    ['HEAD', `${OK}Transfer-Encoding: gzip\r\n\r\n`, 'spent'],
    ['HEAD', `${OK}\r\n`, 'spent'],
    ['HEAD', `${OK}Connection: keep-alive\r\n\r\n`, 'reusable'],
    ['HEAD', `${OK}Content-Length: 5\r\n\r\nhello`, 'spent'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 'reusable'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', 'spent'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n', 'spent'],
  ])('to %s, %j, has no body, and leaves its connection %s (RFC 9110 §6.4.1)', (method, text, after) => {
    const calls = read([text], method);
    expect((calls[0] as unknown[]).at(-1)).toBe('last');
    expect(calls.slice(1)).toEqual([['', after]]);
  });
});

const FAULTS: readonly (readonly [string, string])[] = [
  ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ['another protocol', 'RTSP/1.0 200 OK\r\n\r\n'],
  ['a version that is none', 'HTTP/1.2 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
  ['a bare line feed behind the status', 'HTTP/1.1 200 OK\nA: b\r\n\r\n'],
  ['a bare carriage return in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
  ['a bare line feed behind a field', `${OK}A: b\nC: d\r\n\r\n`],
  ['a bare line feed as the end', `${OK}A: b\r\n\n`],
  ['a folded line', `${OK}A: b\r\n c\r\n\r\n`],
  ['a space before a colon', `${OK}A : b\r\n\r\n`],
  ['a space before a name', `${OK} A: b\r\n\r\n`],
  ['a line without a colon', `${OK}A\r\n\r\n`],
  ['a field without a name', `${OK}: b\r\n\r\n`],
  ['NUL in a name', `${OK}A\0: b\r\n\r\n`],
  ['NUL in a value', `${OK}A: b\0\r\n\r\n`],
  ['DEL in a value', `${OK}A: b\x7f\r\n\r\n`],
  ['a length and chunks', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['chunks and a length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`],
  ['two equal lengths', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`],
  ['a list of lengths', `${OK}Content-Length: 5, 5\r\n\r\n`],
  ['a signed length', `${OK}Content-Length: +5\r\n\r\n`],
  ['an empty length', `${OK}Content-Length: \r\n\r\n`],
  ['a length beyond 64 bits', `${OK}Content-Length: 18446744073709551616\r\n\r\n`],
  ['a tab behind the length', `${OK}Content-Length: 5\t\r\n\r\n`],
  ['a 101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
];

const CHUNK_FAULTS: readonly (readonly [string, string])[] = [
  ['no size', '\r\nhello\r\n'],
  ['a size that is none', '0x5\r\nhello\r\n'],
  ['a negative size', '-5\r\nhello\r\n'],
  ['a space behind the size', '5 \r\nhello\r\n'],
  ['a bare line feed behind the size', '5\nhello\r\n'],
  ['a bare carriage return behind the size', '5\rhello\r\n'],
  ['more data than its size', '4\r\nhello\r\n'],
  ['a bare line feed behind the data', '5\r\nhello\n0\r\n\r\n'],
  ['a size beyond 64 bits', '10000000000000000\r\n'],
  ['a size without end', '0'.repeat(100)],
  ['an extension without a name', '5;\r\nhello\r\n'],
  ['an extension without a name behind another', '5;a=b;\r\nhello\r\n'],
  ['a space in an extension', '5; a\r\nhello\r\n'],
  ['a line end in a quoted extension', '5;a="\r\nhello\r\n'],
  ['extensions without end', `5${';a'.repeat(20_000)}`],
  ['a length in the trailers', '0\r\nContent-Length: 5\r\n\r\n'],
  ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
];

describe('is no response', () => {
  test.each(FAULTS)('%s', (_what, text) => {
    expect(read([text])).toEqual(['malformed-response']);
  });

  test.each(CHUNK_FAULTS)('in chunks: %s', (_what, text) => {
    expect(read([CHUNKED + text]).at(-1)).toBe('malformed-response');
  });

  test.each([
    ['a tab behind `chunked`', 'chunked\t', 'transfer-coding'],
    ['a space behind `chunked`', 'chunked ', 'transfer-coding'],
    ['another coding', 'gzip, chunked', 'transfer-coding'],
    ['chunked twice', 'chunked\r\nTransfer-Encoding: chunked', 'transfer-coding'],
    ['no coding', '', 'transfer-coding'],
  ])('with a transfer coding: %s', (_what, coding, fault) => {
    expect(read([`${OK}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`])).toEqual([fault]);
  });

  test('a switch of protocols that nobody asked for', () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
    expect(read([text])).toEqual(['unasked-upgrade']);
  });

  test('an interim one behind which the connection closes', () => {
    expect(read([`HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\n${LENGTH}`])).toEqual([
      [103, 'Connection', 'close'],
      'malformed-response',
    ]);
  });

  test.each([
    ['in one field', `A: ${'b'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`],
    ['in many', `${'A: b\r\n'.repeat(MAX_HEAD_BYTES / 2)}\r\n`],
    ['in a line without end', 'a'.repeat(2 * MAX_HEAD_BYTES)],
  ])('one whose head is too large %s', (_where, fields) => {
    expect(read([OK + fields])).toEqual(['head-too-large']);
    expect(read([...(OK + fields)])).toEqual(['head-too-large']);
    expect(read([`${CHUNKED}0\r\n${fields}`]).at(-1)).toBe('trailers-too-large');
  });
});

const TEXTS = [
  LENGTH,
  `${LENGTH}x`,
  `${OK}\r\nhello`,
  `\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${LENGTH}`,
  `${CHUNKED}3;a="b;\\"c"\r\nhel\r\n02\r\nlo\r\n0\r\nX-Sum: 1 \r\nA:\r\n\r\n`,
  `${CHUNKED}A\r\n0123456789\r\n00\r\n\r\nHTTP/1.1`,
  ...FAULTS.map(([, text]) => text),
  ...CHUNK_FAULTS.map(([, text]) => CHUNKED + text.slice(0, 200)),
];

describe('cut anywhere', () => {
  test.each(TEXTS)('%j means the same', (text) => {
    const whole = read([text]);
    for (let at = 1; at < text.length; at += 1) {
      const cut = read([text.slice(0, at), text.slice(at)]);
      // What follows an end may not have come when the end is told.
      if (whole.at(-1) !== cut.at(-1)) expect(asReusable(cut)).toEqual(asReusable(whole));
      else expect(cut).toEqual(whole);
    }
    expect(asReusable(read([...text]))).toEqual(asReusable(whole));
    expect(asReusable(read([...text], 'GET', true))).toEqual(asReusable(whole));
  });

  test('anything that resembles a response means the same, and the reader never loses its way', () => {
    const noise = fc.constantFrom(
      '\r',
      '\n',
      ' ',
      '\t',
      ':',
      ';',
      '0',
      '5',
      'a',
      '\0',
      '"',
      'Content-Length: 5\r\n',
      CHUNKED,
      OK,
    );
    const mutated = fc
      .tuple(fc.constantFrom(...TEXTS), fc.array(fc.tuple(fc.nat(120), fc.nat(3), noise), { maxLength: 4 }))
      .map(([text, edits]) => edits.reduce((t, [at, drop, put]) => t.slice(0, at) + put + t.slice(at + drop), text));
    fc.assert(
      fc.property(mutated, fc.array(fc.nat(150), { maxLength: 6 }), fc.boolean(), (text, cuts, stops) => {
        const at = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, i) => text.slice(at[i], end));
        const found = read(
          pieces.filter((piece) => piece !== ''),
          'GET',
          stops,
        );
        expect(asReusable(found)).toEqual(asReusable(read([text])));
      }),
      { seed: 8, numRuns: 1500 },
    );
  });
});

/** Whether a connection may be used again depends on what has come of what follows by then. */
function asReusable(calls: unknown[]): unknown[] {
  return calls.map((call) =>
    Array.isArray(call) && call.at(-1) === 'spent' ? [...call.slice(0, -1), 'reusable'] : call,
  );
}
