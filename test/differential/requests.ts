import { NONCE } from './case.ts';
import type { Random } from './random.ts';

/** A request before it is bytes: each part may be anything. */
export interface RequestDraft {
  method: string;
  target: string;
  version: string;
  /** Whole lines without their ends. */
  fields: string[];
  body: string;
  /** Of every line of the head. */
  lineEnd: string;
}

export const TOKEN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^`|~";
const VISIBLE = `${TOKEN}"(),/:;<=>?@[\\]{} `;
const ANY = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('');
const METHODS = [
  'GET',
  'GET',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'PROPFIND',
  'PURGE',
];
const ODD_METHODS = [
  'get',
  'Get',
  'FOO',
  'GETT',
  'CONNECT',
  'PRI',
  'M-SEARCH',
  'SOURCE',
  'QUERY',
  '',
  ' GET',
  'GE T',
  'G\tET',
  '\x00',
  'BREW',
];
const TARGETS = [
  '/',
  '/',
  '/a/b?c=d',
  '/reply',
  '/reply',
  `/cached/${NONCE}`,
  `/cached/${NONCE}?q`,
  '/limited/a',
  '/%41%2e',
  '/x;y=z',
  '/a//b',
];
const ODD_TARGETS = [
  ...[
    '*',
    'http://other.test/x',
    'http://other.test',
    'HTTP://other.test:80/?q',
    'https://a.test/',
    'a.test:443',
    'x',
    '?q',
    '#',
  ],
  ...[
    '/#f',
    '/a#',
    '/a b',
    '/\x7f',
    '/\xe9',
    '/\x00',
    '/\t',
    '/%zz',
    '/%00',
    '/..',
    '/../..',
    '/a/../b',
    '/./',
    '//a',
    '/\\',
    '/%2f',
    '/%5c',
  ],
  ...['/"<>', '/{}|^`', '/a?b#c', '', '/a?b c', 'http://', 'http:///x', 'http://u@a.test/', 'ftp://a.test/', '/\x80'],
];
const ODD_VERSIONS = [
  ...[
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/2.0',
    'HTTP/0.9',
    'HTTP/1.2',
    'http/1.1',
    'HTTP/1.1 ',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1',
    '',
  ],
  ...['HTTP/1,1', 'HTTP /1.1', 'HTTP/1.1x', 'ICE/1.0', 'RTSP/1.0', 'HTTP/11', 'HTTP/3.0', '\tHTTP/1.1'],
];
const HOSTS = [
  ...[
    'shop.test',
    'a.test:80',
    'A.Test',
    '[::1]',
    '[::1]:8080',
    '127.0.0.1',
    'x',
    'a_b.test',
    'a.test:',
    'a.test:0',
    "a!$&'()*+,;=b",
  ],
  ...['a%41.test', 'xn--a', '127.0.0.1:65535', 'a.test.', '[v1.x]', '[::ffff:1.2.3.4]'],
];
const ODD_HOSTS = [
  ...[
    '',
    ' ',
    'a b',
    'a@b',
    'a.test:x',
    'a.test:99999999',
    'a/b',
    '[::1',
    '::1',
    '[zz]',
    'a\tb',
    'a,b',
    'a#b',
    'a?b',
    '%zz',
    'a\xe9',
    'u:p@a',
  ],
  ...[
    '[::1]x',
    '[]',
    ':80',
    'a:b:80',
    'a.test:-1',
    'a.test: 80',
    '"a"',
    'http://a.test',
    '[::1%25eth0]',
    '<a>',
    'a.test:65536',
  ],
];
const LENGTHS = [
  '0',
  '1',
  '5',
  '00',
  '05',
  '+5',
  '-5',
  '5,5',
  '5, 5',
  '5 5',
  '5x',
  '0x5',
  '',
  ' ',
  '4294967296',
  '18446744073709551616',
  '999999999999999',
  '9999999999999999',
  '1e1',
  '5;',
  '"5"',
  '\t5',
  '5\t',
  '5 ',
];
const CODINGS = [
  ...[
    'chunked',
    'chunked',
    'Chunked',
    'CHUNKED',
    ' chunked',
    'chunked ',
    'chunked\t',
    '\tchunked',
    '\x0bchunked',
    'chunked,',
    ',chunked',
  ],
  ...[
    'gzip, chunked',
    'chunked, gzip',
    'chunked, chunked',
    'identity',
    'identity, chunked',
    'xchunked',
    'chunke',
    'chunked;q=1',
    '"chunked"',
    '',
  ],
  ...['chunk\xe9d', 'chunked\x00', 'gzip', 'cow', 'chunked , identity', 'trailers'],
];
const CONNECTIONS = [
  'close',
  'close',
  'keep-alive',
  'Keep-Alive',
  'Close',
  'CLOSE',
  'keep-alive, close',
  'close, keep-alive',
  'X-Hop',
  'keep-alive, X-Hop',
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'upgrade',
  'Upgrade, HTTP2-Settings',
  'TE',
  'close,',
  ',close',
  'close ',
  '',
  'clos',
  'keep-alive ,',
  'te, close',
  'proxy-connection',
  'Cookie',
  'closed',
  '"close"',
  'keep-alive keep-alive',
  'close\t',
];
const COMMON = [
  ...[
    'Accept: */*',
    'User-Agent: fuzz/1',
    'Cookie: a=b; c=d',
    'X-Hop: 1',
    'Accept-Encoding: gzip',
    'If-None-Match: "x"',
    'Range: bytes=0-0',
  ],
  ...[
    'X-Forwarded-For: 6.6.6.6',
    'Forwarded: for=1.1.1.1',
    'X-Forwarded-Host: evil',
    'Via: 1.0 x',
    'X-Request-Id: mine',
    'Cache-Control: no-cache',
  ],
  ...[
    'Authorization: Basic eDp5',
    'Origin: http://a.test',
    'Referer: /',
    'Cookie: e=f',
    'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  ],
  ...[
    'Max-Forwards: 0',
    'Date: Sun, 06 Nov 1994 08:49:37 GMT',
    'Content-Type: text/plain',
    'X-Real-IP: 1.1.1.1',
    'Early-Data: 1',
    'Priority: u=1',
  ],
  ...[
    'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT',
    'X-HTTP-Method-Override: PUT',
    'Idempotency-Key: k',
    'CDN-Loop: headgate',
  ],
];
const SPECIAL = [
  ...[
    'Expect: 100-continue',
    'Expect: 100-Continue',
    'Expect: x',
    'Expect:',
    'Upgrade: websocket',
    'Upgrade: h2c',
    'Upgrade: foo',
    'Upgrade:',
    'TE: trailers',
  ],
  ...[
    'TE: chunked',
    'TE:',
    'Trailer: X-T',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'Proxy-Connection: close',
  ],
  ...[
    'Client-Cert: :AA==:',
    'Client-Cert-Chain: :AA==:',
    'client-cert: x',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Proxy-Authorization: x',
    'Proxy-Authenticate: x',
  ],
  ...[
    'X_Under: 1',
    '_: 1',
    'Content_Length: 5',
    'Transfer_Encoding: chunked',
    'X_Forwarded_For: 1',
    'HTTP2-Settings:',
    'Cookie2: x',
    'Sec-WebSocket-Version: 13',
  ],
];
const ODD_FIELDS = [
  ...[
    'X : 1',
    ' X: 1',
    '\tX: 1',
    ': 1',
    'X',
    'X\x00: 1',
    'X: \x00',
    'X: \x01',
    'X: \x7f',
    'X: a\rb',
    'X: a\nb',
    'X:\r\n folded',
    'X: 1\r\n\tfolded',
    'Host : b',
  ],
  ...[
    'X: \xff\xfe',
    'X: \x80',
    'X\xe9: 1',
    'X:',
    'X: ',
    'X:\t',
    'X:1',
    'X:  1  ',
    'X:\t1\t',
    'X: a\tb',
    'X: a  b',
    '"X": 1',
    'X(: 1',
    'X,Y: 1',
    'X/Y: 1',
    'X@Y: 1',
  ],
  ...[
    'Content-Length : 5',
    'Transfer-Encoding : chunked',
    ' Content-Length: 5',
    'Content-Length\x00: 5',
    'Host\t: b',
    '\x0bX: 1',
    'X: \x0b',
    'X: \x0c',
    ' ',
    '\t',
    'X:\x85',
  ],
];

/** A request that a browser might send. */
function plainRequest(random: Random): RequestDraft {
  const method = random.pick(METHODS);
  const fields = [
    `${random.pick(['Host', 'Host', 'host', 'HOST'])}: ${random.oneIn(3) ? random.pick(HOSTS) : 'shop.test'}`,
  ];
  for (let i = random.int(4); i > 0; i -= 1) fields.push(random.pick(COMMON));
  if (random.oneIn(6))
    fields.splice(
      random.int(fields.length + 1),
      0,
      `Connection: ${random.pick(['keep-alive', 'close', 'Close', 'Keep-Alive'])}`,
    );
  const draft = { method, target: random.pick(TARGETS), version: 'HTTP/1.1', fields, body: '', lineEnd: '\r\n' };
  if (method !== 'GET' && method !== 'HEAD' ? !random.oneIn(4) : random.oneIn(8)) addBody(random, draft);
  return draft;
}

function addBody(random: Random, draft: RequestDraft): void {
  const text = random.text(random.pick([0, 1, 5, 5, 17, 300, 3000]), random.oneIn(4) ? ANY : TOKEN);
  if (random.oneIn(4)) {
    draft.fields.push(`Transfer-Encoding: ${random.oneIn(5) ? random.pick(CODINGS) : 'chunked'}`);
    draft.body = chunked(random, text);
    return;
  }
  draft.fields.splice(
    random.int(draft.fields.length + 1),
    0,
    `${random.pick(['Content-Length', 'content-length'])}: ${text.length}`,
  );
  draft.body = random.oneIn(15) ? text.slice(1) : random.oneIn(15) ? `${text}x` : text;
}

const CHUNK_ENDS = [
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\r\n',
  '\n',
  '\r',
  ';x\r\n',
  ';x=y\r\n',
  ';x="y"\r\n',
  ' \r\n',
  '\t\r\n',
  ';\r\n',
  '; a=b;c\r\n',
  ';\n',
  ';x\n',
  ';"\r\n"\r\n',
];
const LAST_CHUNKS = [
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\n\r\n',
  '00\r\n\r\n',
  '0\r\nX-T: 1\r\n\r\n',
  '0\r\nX T: 1\r\n\r\n',
  '0\r\nContent-Length: 5\r\n\r\n',
  '0\n\n',
  '0\r\n',
  '',
  '-0\r\n\r\n',
  '0;x\r\n\r\n',
  '0\r\nX: 1',
  '0x0\r\n\r\n',
  '0\r\nHost: b\r\n\r\n',
];

/** `text` in chunks, now and then wrong. */
export function chunked(random: Random, text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const size = random.between(1, Math.max(1, Math.min(text.length - at, 1000)));
    let digits = size.toString(16);
    if (random.oneIn(8))
      digits = random.pick([
        `0${digits}`,
        digits.toUpperCase(),
        `0x${digits}`,
        `+${digits}`,
        `-${digits}`,
        `${digits}g`,
        '',
        `${'0'.repeat(16)}${digits}`,
        `${'f'.repeat(17)}`,
        ` ${digits}`,
      ]);
    out += `${digits}${random.oneIn(3) ? random.pick(CHUNK_ENDS) : '\r\n'}${text.slice(at, at + size)}${random.oneIn(30) ? random.pick(['', '\n', '\r', 'x\r\n', '\r\n\r\n']) : '\r\n'}`;
    at += size;
  }
  return out + (random.oneIn(2) ? '0\r\n\r\n' : random.pick(LAST_CHUNKS));
}

type Oddity = (random: Random, draft: RequestDraft) => void;

function insert(random: Random, draft: RequestDraft, line: string): void {
  draft.fields.splice(random.int(draft.fields.length + 1), 0, line);
}

const ODDITIES: readonly Oddity[] = [
  (random, draft) => {
    draft.method = random.pick(ODD_METHODS);
  },
  (random, draft) => {
    draft.target = random.pick(ODD_TARGETS);
  },
  (random, draft) => {
    draft.target = `/${random.text(random.between(1, 12), random.oneIn(2) ? ANY : VISIBLE)}`;
  },
  (random, draft) => {
    draft.target = `/${'a'.repeat(random.pick([1000, 8000, 16_000, 16_384, 17_000]))}`;
  },
  (random, draft) => {
    draft.version = random.pick(ODD_VERSIONS);
  },
  (random, draft) => {
    draft.lineEnd = random.pick(['\n', '\r', '\r\r\n', '\n\r', '\r\n ', '\x00\r\n']);
  },
  (random, draft) => {
    draft.fields = draft.fields.filter((line) => !/^host:/i.test(line));
    if (!random.oneIn(3)) insert(random, draft, `Host:${random.pick(['', ' ', '  ', '\t'])}${random.pick(ODD_HOSTS)}`);
  },
  (random, draft) =>
    insert(random, draft, `${random.pick(['Host', 'host', 'hOST'])}: ${random.pick([...HOSTS, ...ODD_HOSTS])}`),
  (random, draft) => {
    draft.fields = draft.fields.map((line) =>
      /^host:/i.test(line)
        ? line.replace(/: */, random.pick([':', ':  ', ':\t', ': \t '])) + random.pick(['', ' ', '\t', ' \t'])
        : line,
    );
  },
  (random, draft) =>
    insert(
      random,
      draft,
      `${random.pick(['Content-Length', 'content-length', 'CONTENT-LENGTH'])}:${random.pick(['', ' '])}${random.pick(LENGTHS)}`,
    ),
  (random, draft) =>
    insert(
      random,
      draft,
      `${random.pick(['Transfer-Encoding', 'transfer-encoding', 'TRANSFER-ENCODING'])}:${random.pick(['', ' '])}${random.pick(CODINGS)}`,
    ),
  (random, draft) => insert(random, draft, `${random.pick(['Connection', 'connection'])}: ${random.pick(CONNECTIONS)}`),
  (random, draft) => insert(random, draft, random.pick(SPECIAL)),
  (random, draft) => insert(random, draft, random.pick(SPECIAL)),
  (random, draft) => insert(random, draft, random.pick(ODD_FIELDS)),
  (random, draft) => insert(random, draft, random.pick(ODD_FIELDS)),
  (random, draft) =>
    insert(
      random,
      draft,
      `${random.text(random.between(1, 20), TOKEN)}:${random.text(random.int(20), random.oneIn(2) ? ANY : VISIBLE)}`,
    ),
  (random, draft) =>
    insert(random, draft, `X-Long: ${'v'.repeat(random.pick([900, 4000, 8100, 15_900, 16_300, 16_384, 20_000]))}`),
  (random, draft) => {
    const count = random.pick([50, 97, 98, 99, 100, 101, 120, 2001]);
    for (let i = 0; i < count; i += 1) draft.fields.push(`X-${i}:${random.oneIn(2) ? ' ' : ''}${i}`);
  },
  (random, draft) => {
    draft.method = `${random.pick(['\r\n', '\n', '\r\n\r\n', '\r', ' ', '\x00', '\r\n\n'])}${draft.method}`;
  },
  (random, draft) => {
    const { fields } = draft;
    const [line] = fields.splice(random.int(fields.length), 1);
    if (line !== undefined) fields.push(line, ...(random.oneIn(2) ? [line] : []));
  },
  (random, draft) => {
    draft.body = random.pick([
      '',
      'x',
      '\r\n',
      '0\r\n\r\n',
      '5\r\nhello\r\n0\r\n\r\n',
      'GET /smuggled HTTP/1.1\r\nHost: s\r\n\r\n',
      '\r\n\r\n',
    ]);
  },
];

export function bytesOf({ method, target, version, fields, body, lineEnd }: RequestDraft): string {
  let text = `${method} ${target} ${version}${lineEnd}`;
  for (const line of fields) text += line + lineEnd;
  return `${text}${lineEnd}${body}`;
}

/** One request: as a browser would send it, or with some things about it that no browser does. */
export function generateRequest(random: Random): string {
  const draft = plainRequest(random);
  if (random.oneIn(2)) {
    for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i -= 1) random.pick(ODDITIES)(random, draft);
  }
  return bytesOf(draft);
}

/** One that nothing is wrong with. */
export function generatePlain(random: Random): string {
  return bytesOf(plainRequest(random));
}

/** One that surely gets to the endpoint. */
export function generateForwarded(random: Random): string {
  const method = random.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);
  const target = random.oneIn(5) ? `/cached/${NONCE}` : '/';
  const draft = { method, target, version: 'HTTP/1.1', fields: ['Host: shop.test'], body: '', lineEnd: '\r\n' };
  if (random.oneIn(3)) draft.fields.push(random.pick(COMMON));
  if (method === 'POST' || method === 'PUT') {
    const text = random.text(random.pick([0, 5, 300, 3000, 70_000]), TOKEN);
    const isChunked = random.oneIn(3);
    draft.fields.push(isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${text.length}`);
    draft.body = isChunked ? `${text.length === 0 ? '' : `${text.length.toString(16)}\r\n${text}\r\n`}0\r\n\r\n` : text;
  }
  return bytesOf(draft);
}
