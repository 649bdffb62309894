import * as h2 from '../../kit/h2-frames.ts';
import { END_HEADERS, END_STREAM, type Fields, PADDED, TYPE } from '../../kit/h2-frames.ts';

/**
 * What must come of a message at an HTTP/1.1 endpoint: nothing that it could take for a whole request, or exactly one with this
 * method, target and body, and with these fields (`null`: without).
 */
export type Http2Outcome =
  | 'refused'
  | {
      readonly method?: string;
      readonly target?: string;
      readonly body?: string;
      readonly fields?: Readonly<Record<string, string | null>>;
    };

export interface AmbiguousStream {
  readonly what: string;
  /** Frames of stream 1. Everything in them is Latin-1. */
  readonly frames: Buffer;
  readonly outcome: Http2Outcome;
}

type Over = Readonly<Record<string, string | null>>;

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n';
const plain: Http2Outcome = { method: 'GET', target: '/', body: '' };
/** nghttp2 takes such a field out and lets the rest pass, where RFC 9113 §8.2.1 would refuse it all; what goes on has one meaning. */
const dropped: Http2Outcome = { ...plain, fields: { x: null, 'content-length': null, 'transfer-encoding': null } };

/** A GET whose pseudo fields are these; `null` leaves one out. */
const pseudo = (what: string, over: Over, outcome: Http2Outcome = 'refused', more: Fields = []): AmbiguousStream => ({
  what,
  frames: h2.headers(1, h2.requestBlock(more, over)),
  outcome,
});

/** A GET with these fields after its pseudo fields. */
const fields = (what: string, more: Fields, outcome: Http2Outcome = 'refused'): AmbiguousStream =>
  pseudo(what, {}, outcome, more);

/** A GET with exactly this list. */
const list = (what: string, all: Fields, outcome: Http2Outcome = 'refused'): AmbiguousStream => ({
  what,
  frames: h2.headers(1, h2.literals(all)),
  outcome,
});

/** A POST with these fields, followed by these frames. */
const body = (
  what: string,
  more: Fields,
  parts: readonly Buffer[],
  outcome: Http2Outcome = 'refused',
): AmbiguousStream => ({
  what,
  frames: Buffer.concat([h2.headers(1, h2.requestBlock(more, { ':method': 'POST' }), END_HEADERS), ...parts]),
  outcome,
});

const posted = (text: string, length: string | null = null): Http2Outcome => ({
  method: 'POST',
  target: '/',
  body: text,
  fields: { 'content-length': length, 'transfer-encoding': length === null ? 'chunked' : null },
});

const REQUEST: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/'],
  [':authority', 'shop.test'],
];

/** RFC 9113 §8.3.1: what becomes the request line and Host. */
const pseudoFields: readonly AmbiguousStream[] = [
  pseudo('a path with a request behind CRLF', { ':path': `/ HTTP/1.1\r\nHost: shop.test\r\n\r\n${SMUGGLED}` }),
  pseudo('a path with a version', { ':path': '/ HTTP/1.1' }),
  pseudo('a path with CR', { ':path': '/a\rb' }),
  pseudo('a path with LF', { ':path': '/a\nb' }),
  pseudo('a path with NUL', { ':path': '/a\0b' }),
  pseudo('a path with a tab', { ':path': '/a\tb' }),
  pseudo('a path with DEL', { ':path': '/a\x7fb' }),
  pseudo('a path with an octet beyond ASCII', { ':path': '/a\xe9b' }),
  pseudo('a path with a fragment', { ':path': '/a#b' }),
  pseudo('an empty path', { ':path': '' }),
  pseudo('a path without a slash', { ':path': 'a' }),
  pseudo('a path in absolute form', { ':path': 'http://other.test/' }),
  pseudo('a path for all of the server with GET', { ':path': '*' }),
  pseudo('no path', { ':path': null }),
  list('two paths', [...REQUEST, [':path', '/smuggled']]),
  pseudo('a method with a target', { ':method': 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\nGET' }),
  pseudo('a method with a blank', { ':method': 'GET /' }),
  pseudo('a method with CR', { ':method': 'GE\rT' }),
  pseudo('a method with NUL', { ':method': 'GET\0' }),
  pseudo('a method with a colon', { ':method': 'GET:' }),
  pseudo('an empty method', { ':method': '' }),
  pseudo('no method', { ':method': null }),
  list('two methods', [[':method', 'GET'], ...REQUEST]),
  pseudo('CONNECT with a path', { ':method': 'CONNECT' }),
  pseudo('CONNECT without a path', { ':method': 'CONNECT', ':path': null, ':scheme': null }),
  pseudo('a protocol without CONNECT', { ':protocol': 'websocket' }),
  pseudo('CONNECT of a protocol that is two', { ':method': 'CONNECT', ':protocol': 'websocket, h2c' }),
  pseudo('CONNECT of a protocol with CRLF', { ':method': 'CONNECT', ':protocol': 'websocket\r\nX: y' }),
  pseudo('an authority with CRLF', { ':authority': 'shop.test\r\nX-Smuggled: 1' }),
  pseudo('an authority with a blank', { ':authority': 'shop.test other.test' }),
  pseudo('an authority with NUL', { ':authority': 'shop.test\0' }),
  pseudo('an authority with user information', { ':authority': 'user@shop.test' }),
  pseudo('an authority with a path', { ':authority': 'shop.test/a' }),
  // A comma may be in a name (RFC 3986 §3.2.2).
  pseudo(
    'an authority with a comma',
    { ':authority': 'shop.test,other.test' },
    { ...plain, fields: { host: 'shop.test,other.test' } },
  ),
  pseudo('an empty authority', { ':authority': '' }),
  pseudo('neither authority nor host', { ':authority': null }),
  pseudo('a host for an authority', { ':authority': null }, { ...plain, fields: { host: 'shop.test' } }, [
    ['host', 'shop.test'],
  ]),
  list('two authorities', [...REQUEST, [':authority', 'other.test']]),
  pseudo('no scheme', { ':scheme': null }),
  list('two schemes', [[':scheme', 'https'], ...REQUEST]),
  pseudo('a scheme with CRLF', { ':scheme': 'https\r\nX-Smuggled: 1' }),
  pseudo('a scheme with a host and a path', { ':scheme': 'https://other.test/x?' }),
  pseudo('a field that is one of responses', { ':status': '200' }),
  pseudo('a pseudo field that nobody knows', { ':smuggled': '1' }),
  list('a pseudo field behind a regular one', [...REQUEST.slice(0, 3), ['a', 'b'], [':authority', 'shop.test']]),
];

/** RFC 9113 §8.2: names and values that are more than that in HTTP/1.1. */
const regularFields: readonly AmbiguousStream[] = [
  fields('a name in upper case', [['Content-Length', '5']]),
  fields('a name with a colon', [['transfer-encoding:chunked', '']], dropped),
  fields('a name with CRLF', [['x: y\r\ntransfer-encoding', 'chunked']], dropped),
  fields('a name with LF', [['x\ny', 'z']], dropped),
  fields('a name with NUL', [['x\0y', 'z']], dropped),
  fields('a name with a blank', [['content-length ', '5']], dropped),
  fields('a name with an octet beyond ASCII', [['x\xe9', 'y']], dropped),
  fields('an empty name', [['', 'x']], dropped),
  fields('a value with a request behind CRLF', [['x', `y\r\n\r\n${SMUGGLED}`]], dropped),
  fields('a value with a field behind CRLF', [['x', 'y\r\ntransfer-encoding: chunked']], dropped),
  fields('a value with LF', [['x', 'y\nz']], dropped),
  fields('a value with CR', [['x', 'y\rz']], dropped),
  fields('a value with NUL', [['x', 'y\0z']], dropped),
  fields('a value with octets beyond ASCII', [['x', 'y\xe9']], { ...plain, fields: { x: 'y\xe9' } }),
  fields('a field of the connection', [['connection', 'content-length']]),
  fields('a transfer coding', [['transfer-encoding', 'chunked']]),
  fields('a transfer coding of a connection that stays', [['transfer-encoding', 'identity']]),
  fields('an upgrade', [['upgrade', 'h2c']]),
  fields('a time to keep the connection', [['keep-alive', 'timeout=5']]),
  fields('a field of the connection to a proxy', [['proxy-connection', 'keep-alive']]),
  fields('a TE that is more than trailers', [['te', 'trailers, chunked']]),
  fields('a TE of trailers', [['te', 'trailers']], { ...plain, fields: { 'transfer-encoding': null } }),
  fields('settings of another connection', [['http2-settings', 'AAAA']], {
    ...plain,
    fields: { 'http2-settings': null },
  }),
  fields(
    'names that are others with underscores',
    [
      ['content_length', '5'],
      ['transfer_encoding', 'chunked'],
    ],
    {
      ...plain,
      fields: { content_length: null, transfer_encoding: null },
    },
  ),
  fields('a host of its own', [['host', 'other.test']]),
  fields('a host that is the same', [['host', 'shop.test']], { ...plain, fields: { host: 'shop.test' } }),
  fields('the same host twice', [
    ['host', 'shop.test'],
    ['host', 'shop.test'],
  ]),
  fields('an expectation that nobody knows', [['expect', '200-ok']]),
  fields(
    'crumbs of a cookie',
    [
      ['cookie', 'a=1'],
      ['x', 'y'],
      ['cookie', 'b=2'],
    ],
    {
      ...plain,
      fields: { cookie: 'a=1; b=2' },
    },
  ),
  fields('a length without a body', [['content-length', '5']]),
  fields('a length of nothing without a body', [['content-length', '0']], plain),
];

/** RFC 9113 §8.1.1: the length that is said and the one that is. */
const bodies: readonly AmbiguousStream[] = [
  body('a request as a body', [], [h2.data(1, SMUGGLED)], posted(SMUGGLED)),
  body('the end of a chunked body as a body', [], [h2.data(1, `0\r\n\r\n${SMUGGLED}`)], posted(`0\r\n\r\n${SMUGGLED}`)),
  body('a length that is right', [['content-length', '2']], [h2.data(1, 'ab')], posted('ab', '2')),
  body('a length that is too small', [['content-length', '1']], [h2.data(1, `a${SMUGGLED}`)]),
  body('a length of nothing and a body', [['content-length', '0']], [h2.data(1, SMUGGLED)]),
  body('a length that is too large', [['content-length', '3']], [h2.data(1, 'ab')]),
  body(
    'the same length twice',
    [
      ['content-length', '2'],
      ['content-length', '2'],
    ],
    [h2.data(1, 'ab')],
  ),
  body(
    'two lengths',
    [
      ['content-length', '2'],
      ['content-length', '3'],
    ],
    [h2.data(1, 'ab')],
  ),
  body('a list of lengths', [['content-length', '2, 2']], [h2.data(1, 'ab')]),
  body('a length with a sign', [['content-length', '+2']], [h2.data(1, 'ab')]),
  body('a length in hexadecimal', [['content-length', '0x2']], [h2.data(1, 'ab')]),
  body('a negative length', [['content-length', '-2']], [h2.data(1, 'ab')]),
  body('a length with a decimal point', [['content-length', '2.0']], [h2.data(1, 'ab')]),
  body('an empty length', [['content-length', '']], [h2.data(1, 'ab')]),
  body('a length beyond all bounds', [['content-length', '18446744073709551618']], [h2.data(1, 'ab')]),
  body(
    'a length and a transfer coding',
    [
      ['content-length', '2'],
      ['transfer-encoding', 'chunked'],
    ],
    [h2.data(1, 'ab')],
  ),
  body(
    'padding, which is no part of the length',
    [['content-length', '2']],
    [h2.frame(TYPE.data, PADDED | END_STREAM, 1, Buffer.from('\x03ab\0\0\0', 'latin1'))],
    posted('ab', '2'),
  ),
  body('an end by itself', [], [h2.data(1, 'ab', 0), h2.data(1, '')], posted('ab')),
  body(
    'a second head that does not end the stream',
    [],
    [h2.data(1, 'ab', 0), h2.headers(1, h2.literals([['x', 'y']]), END_HEADERS)],
  ),
  ...[
    [':path', '/smuggled'],
    ['transfer-encoding', 'chunked'],
    ['connection', 'close'],
  ].map(([name = '', value = '']) =>
    body(`${name} as a trailer`, [], [h2.data(1, 'ab', 0), h2.headers(1, h2.literals([[name, value]]))]),
  ),
  body(
    'a host as a trailer',
    [],
    [h2.data(1, 'ab', 0), h2.headers(1, h2.literals([['host', 'other.test']]))],
    posted('ab'),
  ),
  body(
    'a length as a trailer that is wrong',
    [],
    [h2.data(1, 'ab', 0), h2.headers(1, h2.literals([['content-length', '9']]))],
  ),
  body(
    'trailers that are none of the framing’s',
    [],
    [h2.data(1, 'ab', 0), h2.headers(1, h2.literals([['x', 'y']]))],
    posted('ab'),
  ),
  {
    what: 'a GET with a body',
    frames: Buffer.concat([h2.headers(1, h2.requestBlock(), END_HEADERS), h2.data(1, SMUGGLED)]),
    outcome: { method: 'GET', target: '/', body: SMUGGLED },
  },
  {
    what: 'a head in three frames',
    frames: Buffer.concat(split(h2.requestBlock([['x', 'y']]))),
    outcome: { ...plain, fields: { x: 'y' } },
  },
];

function split(block: Buffer): Buffer[] {
  return [
    h2.headers(1, block.subarray(0, 5), END_STREAM),
    h2.frame(TYPE.continuation, 0, 1, block.subarray(5, 9)),
    h2.frame(TYPE.continuation, END_HEADERS, 1, block.subarray(9)),
  ];
}

/** Requests of HTTP/2 that would be something else, or two, if they were written down as HTTP/1.1 (RFC 9113 §10.3). */
export const ambiguousStreams = {
  'pseudo fields': pseudoFields,
  fields: regularFields,
  bodies,
} satisfies Record<string, readonly AmbiguousStream[]>;
