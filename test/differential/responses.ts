import { OK, type OriginReply } from './case.ts';
import { mutate, split } from './mutate.ts';
import type { Random } from './random.ts';
import { chunked, TOKEN } from './requests.ts';

const STATUS_LINES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 500 Oops',
  'HTTP/1.1 301 Moved',
  'HTTP/1.1 206 Partial',
  'HTTP/1.1 503 Busy',
  'HTTP/1.1 205 Reset',
];
const ODD_STATUS_LINES = [
  ...[
    'HTTP/1.0 200 OK',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 200',
    'HTTP/1.1 200 ',
    'HTTP/1.1  200 OK',
    'HTTP/1.1 200  OK',
    'HTTP/2.0 200 OK',
    'HTTP/1.2 200 OK',
    'http/1.1 200 OK',
    'HTTP/1.1 20 OK',
  ],
  ...[
    'HTTP/1.1 2000 OK',
    'HTTP/1.1 099 X',
    'HTTP/1.1 600 X',
    'HTTP/1.1 999 X',
    'HTTP/1.1 000 X',
    'HTTP/1.1 -20 X',
    'HTTP/1.1 2 0 OK',
    'HTTP/1.1 200OK',
    'HTTP/1.1 200 O\xe9',
    'HTTP/1.1 200 O\x00',
    'HTTP/1.1 200 O\tK',
  ],
  ...[
    'HTTP/1.1 101 Switching',
    'HTTP/0.9 200 OK',
    'ICY 200 OK',
    'HTTP/1.1 200 O\rK',
    '',
    'X',
    'HTTP/11 200 OK',
    'HTTP/1.1\t200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 299 X',
    'HTTP/1.1 199 X',
    'HTTP/1.1 200 \x7f',
  ],
];
const FIELDS = [
  ...[
    'Content-Type: text/plain',
    'Server: x',
    'Set-Cookie: a=b',
    'Set-Cookie: c=d',
    'Cache-Control: max-age=60',
    'ETag: "x"',
    'Vary: Accept',
    'X-Dup: 1',
    'X-Dup: 2',
    'Location: /y',
  ],
  ...[
    'Date: Sun, 06 Nov 1994 08:49:37 GMT',
    'Age: 5',
    'X-Empty:',
    'X-Hop: 1',
    'Content-Disposition: attachment; filename="\xe9"',
    'Via: 1.1 o',
    'Warning: 1',
    'Retry-After: 1',
    'Accept-Ranges: bytes',
  ],
  ...[
    'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT',
    'Cache-Control: no-store',
    'Content-Encoding: gzip',
    'Alt-Svc: h3=":443"',
  ],
];
const ODD_FIELDS = [
  ...[
    'Connection: close',
    'Connection: close',
    'Connection: keep-alive',
    'Connection: X-Hop',
    'Connection: Close, X-Hop',
    'Connection: Content-Length',
    'Connection: upgrade',
    'Connection:',
    'Keep-Alive: timeout=5',
    'Keep-Alive: timeout=0',
  ],
  ...[
    'Keep-Alive: timeout=1, max=1',
    'Keep-Alive: max=0',
    'Keep-Alive: x',
    'Keep-Alive: timeout=99999999999',
    'Keep-Alive:',
    'Upgrade: websocket',
    'Upgrade: h2c',
    'Trailer: X-T',
    'TE: x',
    'Proxy-Authenticate: x',
    'Proxy-Connection: close',
  ],
  ...[
    'X : 1',
    ' X: 1',
    ': 1',
    'X',
    'X: \x00',
    'X: \x01',
    'X: \x7f',
    'X: a\rb',
    'X: a\nb',
    'X: 1\r\n folded',
    'X: \xff',
    'X\xe9: 1',
    'X:1',
    'X:\t1 ',
    'X(: 1',
    '"X": 1',
    'X_Y: 1',
    'Content-Length : 2',
    'Host: x',
    'Expect: x',
    'X: \x0b',
    'X:\x0c',
  ],
  ...[
    'Content-Length: 0',
    'Content-Length: 2',
    'Content-Length: 5',
    'Content-Length: 2, 2',
    'Content-Length: +2',
    'Content-Length: -1',
    'Content-Length:',
    'Content-Length: 02',
    'Content-Length: 2x',
    'Content-Length: 99999999999999999999',
    'Content-Length: 0x2',
    'content-length: 2 ',
    'Content-Length: 9007199254740993',
  ],
  ...[
    'Transfer-Encoding: chunked',
    'transfer-encoding: Chunked',
    'Transfer-Encoding: gzip',
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, gzip',
    'Transfer-Encoding: chunked\t',
    'Transfer-Encoding: identity',
    'Transfer-Encoding:',
    'Transfer-Encoding: xchunked',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: chunked;x',
    'Transfer-Encoding:chunked',
    'Transfer-Encoding : chunked',
  ],
];
const INTERIM = [
  'HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n',
  'HTTP/1.1 102 Processing\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 199 X\r\nX: 1\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.0 103 Early\r\n\r\n',
  'HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 103 E\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
];
const BEYOND = [
  'x',
  '\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno',
  '\x00',
  '0\r\n\r\n',
  'HTTP/1.1 408 Late\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
];

function responseText(random: Random): string {
  const fields: string[] = [];
  for (let i = random.int(4); i > 0; i -= 1) fields.push(random.pick(FIELDS));
  let line = random.pick(STATUS_LINES);
  const text = random.text(random.pick([0, 1, 2, 5, 40, 1500, 9000, 70_000]), TOKEN);
  let body = text;
  const framing = random.int(10);
  if (framing < 5) fields.splice(random.int(fields.length + 1), 0, `Content-Length: ${text.length}`);
  else if (framing < 8) {
    fields.splice(random.int(fields.length + 1), 0, 'Transfer-Encoding: chunked');
    body = chunked(random, text.slice(0, 3000));
  }
  if (random.oneIn(8) || / (?:204|304|205) /.test(line)) body = random.oneIn(8) ? body : '';
  if (random.oneIn(3)) {
    if (random.oneIn(3)) line = random.pick(ODD_STATUS_LINES);
    if (!random.oneIn(3)) fields.splice(random.int(fields.length + 1), 0, random.pick(ODD_FIELDS));
    if (random.oneIn(3)) fields.splice(random.int(fields.length + 1), 0, random.pick(ODD_FIELDS));
    if (random.oneIn(20)) fields.push(`X-Long: ${'v'.repeat(random.pick([1000, 16_000, 16_384, 70_000]))}`);
    if (random.oneIn(20)) for (let i = 0; i < 150; i += 1) fields.push(`X-${i}: ${i}`);
  }
  const lineEnd = random.oneIn(25) ? random.pick(['\n', '\r', '\r\r\n']) : '\r\n';
  let interim = '';
  if (random.oneIn(6))
    for (let i = random.pick([1, 1, 2, 3, 40]); i > 0; i -= 1)
      interim += random.pick(INTERIM.slice(0, random.oneIn(3) ? INTERIM.length : 2));
  const beyond = random.oneIn(12) ? random.pick(BEYOND) : '';
  return `${interim}${[line, ...fields].map((part) => part + lineEnd).join('')}${lineEnd}${body}${beyond}`;
}

/** What an endpoint might answer, and what none should. */
export function generateReply(random: Random): OriginReply {
  let text = responseText(random);
  if (random.oneIn(6)) text = mutate(random, text);
  if (random.oneIn(8)) text = text.slice(0, random.int(text.length + 1));
  const endless = !/content-length|transfer-encoding/i.test(text);
  const after = random.oneIn(endless ? 2 : 8) ? random.pick(['fin', 'fin', 'fin', 'rst'] as const) : 'keep';
  return { when: random.oneIn(8) ? 'head' : 'message', packets: split(random, text), after };
}

/** What a sound one answers. */
export function generatePlainReply(random: Random): OriginReply {
  const text = random.text(random.pick([0, 2, 100, 1024, 9000, 40_000]), TOKEN);
  const packet = random.pick([
    `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nCache-Control: max-age=60\r\nETag: "x"\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`.replace(
      '\r\n\r\n0\r\n\r\n0',
      '\r\n\r\n0',
    ),
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    'HTTP/1.1 404 Not Found\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  ]);
  if (random.oneIn(3)) return OK;
  const isHead = /^HTTP\/1.1 (?:204|304)/.test(packet);
  return {
    when: random.oneIn(10) ? 'head' : 'message',
    packets: isHead || random.oneIn(2) ? [packet] : split(random, packet),
    after: random.oneIn(12) ? 'fin' : 'keep',
  };
}
