import * as h2 from '../kit/h2-frames.ts';
import { ACK, END_HEADERS, END_STREAM, PADDED, PRIORITY, SETTING, TYPE } from '../kit/h2-frames.ts';

/** Names of error codes (RFC 9113 §7). */
export type CodeName = keyof typeof h2.CODE;

/**
 * `ends`: GOAWAY with this code, and the connection closes. `resets`: RST_STREAM of stream 1 with this code, others go on.
 * `answers`: stream 1 gets this status. `goes on`: neither, and a PING is answered.
 */
export type Verdict =
  | { readonly ends: CodeName }
  | { readonly resets: CodeName }
  | { readonly answers: number }
  | { readonly goesOn: true };

export interface Case {
  readonly name: string;
  /** After the exchange of settings. Stream 1 is answered with 200 unless its path is /open: then never. */
  readonly send: readonly Uint8Array[];
  readonly verdict: Verdict;
}

const { concat } = Buffer;
const goesOn: Verdict = { goesOn: true };

function open(stream: number, more: h2.Fields = []): Buffer {
  return h2.headers(stream, h2.requestBlock(more, { ':path': '/open', ':method': 'POST' }), END_HEADERS);
}

function request(over: Readonly<Record<string, string | null>>, more: h2.Fields = []): Buffer {
  return h2.headers(1, h2.requestBlock(more, over));
}

/** Without END_HEADERS, to be continued. */
function begun(stream: number, block: Uint8Array, flags = END_STREAM): Buffer {
  return h2.headers(stream, block, flags);
}

function continuation(stream: number, block: Uint8Array, flags: number = END_HEADERS): Buffer {
  return h2.frame(TYPE.continuation, flags, stream, block);
}

function setting(id: number, value: number): Buffer {
  return h2.settings([[id, value]]);
}

const block = h2.requestBlock();
const padding = (length: number, payload: Uint8Array, filler = 0) =>
  concat([Buffer.from([filler]), payload, Buffer.alloc(length)]);

/** Frames and their sizes. */
export const FRAMING: readonly Case[] = [
  {
    name: '§4.1: a frame of an unknown type is ignored',
    send: [h2.frame(0x16, 0xff, 0, Buffer.alloc(8))],
    verdict: goesOn,
  },
  { name: '§4.1: flags that a frame does not define are ignored', send: [h2.ping('12345678', 0x16)], verdict: goesOn },
  {
    name: '§4.1: the reserved bit of a stream identifier is ignored',
    send: [h2.frame(TYPE.headers, END_STREAM | END_HEADERS, 2 ** 31 + 1, block)],
    verdict: { answers: 200 },
  },
  {
    name: '§4.2: DATA of 16384 octets is taken',
    send: [h2.post(1), h2.data(1, Buffer.alloc(16_384))],
    verdict: { answers: 200 },
  },
  {
    name: '§4.2: DATA of more is FRAME_SIZE_ERROR',
    send: [h2.post(1), h2.data(1, Buffer.alloc(16_385))],
    verdict: { ends: 'frameSize' },
  },
  {
    name: '§4.2: HEADERS of more is FRAME_SIZE_ERROR',
    send: [h2.headers(1, Buffer.alloc(16_385))],
    verdict: { ends: 'frameSize' },
  },
  {
    name: '§4.3: a block that is no HPACK is COMPRESSION_ERROR',
    send: [h2.headers(1, Buffer.from([0x80]))],
    verdict: { ends: 'compression' },
  },
  {
    name: '§4.3, §6.10: nothing may come between HEADERS and its CONTINUATION, not even PRIORITY',
    send: [begun(1, block), h2.priority(1), continuation(1, Buffer.alloc(0))],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§4.3, §6.10: nor a frame of another stream',
    send: [begun(1, block), h2.get(3), continuation(1, Buffer.alloc(0))],
    verdict: { ends: 'protocol' },
  },
];

/** The life of a stream. */
export const STREAMS: readonly Case[] = [
  { name: '§5.1 idle: DATA', send: [h2.data(1, 'x')], verdict: { ends: 'protocol' } },
  { name: '§5.1 idle: RST_STREAM', send: [h2.reset(1)], verdict: { ends: 'protocol' } },
  { name: '§5.1 idle: WINDOW_UPDATE', send: [h2.windowUpdate(1, 100)], verdict: { ends: 'protocol' } },
  { name: '§5.1 idle: CONTINUATION', send: [continuation(1, block)], verdict: { ends: 'protocol' } },
  { name: '§5.1 idle: PRIORITY is allowed', send: [h2.priority(1)], verdict: goesOn },
  {
    name: '§5.1 half-closed (remote): DATA',
    send: [request({ ':path': '/open' }), h2.data(1, 'x')],
    verdict: { ends: 'streamClosed' },
  },
  {
    name: '§5.1 half-closed (remote): HEADERS',
    send: [request({ ':path': '/open' }), h2.get(1)],
    verdict: { ends: 'streamClosed' },
  },
  {
    name: '§5.1 half-closed (remote): CONTINUATION',
    send: [request({ ':path': '/open' }), continuation(1, block)],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§5.1 half-closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are allowed',
    send: [request({ ':path': '/open' }), h2.windowUpdate(1, 1), h2.priority(1), h2.reset(1)],
    verdict: goesOn,
  },
  {
    name: '§5.1 closed: WINDOW_UPDATE and RST_STREAM that crossed our end are ignored',
    send: [open(1), h2.reset(1), h2.windowUpdate(1, 1), h2.reset(1)],
    verdict: goesOn,
  },
  // A stream that is over is forgotten by nghttp2: STREAM_CLOSED is not said (RFC 9113 lets a sender ignore them for a time).
  {
    name: '§5.1 closed by a reset: DATA is not taken for anything',
    send: [open(1), h2.reset(1), h2.data(1, 'x')],
    verdict: goesOn,
  },
  {
    name: '§5.1 closed by a reset: CONTINUATION',
    send: [open(1), h2.reset(1), continuation(1, block)],
    verdict: { ends: 'protocol' },
  },
  { name: '§5.1.1: an even stream number', send: [h2.get(2)], verdict: { ends: 'protocol' } },
  { name: '§5.1.1: stream 0', send: [h2.get(0)], verdict: { ends: 'protocol' } },
  {
    name: '§5.4.1: after a connection error nothing more is read',
    send: [h2.data(1, 'x'), h2.ping('neverback')],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§5.5: an unknown frame within a header block',
    send: [begun(1, block), h2.frame(0x16, 0, 0), continuation(1, Buffer.alloc(0))],
    verdict: { ends: 'protocol' },
  },
];

/** One type of frame after the other. */
export const FRAMES: readonly Case[] = [
  { name: '§6.1 DATA on stream 0', send: [h2.data(0, 'x')], verdict: { ends: 'protocol' } },
  {
    name: '§6.1 DATA with padding',
    send: [h2.post(1), h2.frame(TYPE.data, PADDED | END_STREAM, 1, padding(6, Buffer.from('abc'), 6))],
    verdict: { answers: 200 },
  },
  {
    name: '§6.1 DATA with more padding than payload',
    send: [h2.post(1), h2.frame(TYPE.data, PADDED | END_STREAM, 1, Buffer.from([4, 1, 2]))],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.1 DATA of padding alone',
    send: [h2.post(1), h2.frame(TYPE.data, PADDED | END_STREAM, 1, Buffer.from([2, 0, 0]))],
    verdict: { answers: 200 },
  },
  {
    name: '§6.2 HEADERS with padding and priority',
    send: [
      h2.frame(
        TYPE.headers,
        END_STREAM | END_HEADERS | PADDED | PRIORITY,
        1,
        padding(3, concat([h2.uint32(0), Buffer.from([9]), block]), 3),
      ),
    ],
    verdict: { answers: 200 },
  },
  {
    name: '§6.2 HEADERS with more padding than payload',
    send: [h2.frame(TYPE.headers, END_STREAM | END_HEADERS | PADDED, 1, concat([Buffer.from([255]), block]))],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.2, §6.10 HEADERS in three frames',
    send: [
      begun(1, block.subarray(0, 5)),
      continuation(1, block.subarray(5, 9), 0),
      continuation(1, block.subarray(9)),
    ],
    verdict: { answers: 200 },
  },
  {
    name: '§6.2, §6.10 an empty CONTINUATION',
    send: [begun(1, block), continuation(1, Buffer.alloc(0))],
    verdict: { answers: 200 },
  },
  { name: '§6.3 PRIORITY is ignored', send: [h2.priority(1), h2.priority(1, 1), h2.get(1)], verdict: { answers: 200 } },
  {
    name: '§6.3 PRIORITY of a wrong length',
    send: [open(1), h2.frame(TYPE.priority, 0, 1, Buffer.alloc(4))],
    verdict: { ends: 'frameSize' },
  },
  { name: '§6.4 RST_STREAM on stream 0', send: [h2.reset(0)], verdict: { ends: 'protocol' } },
  {
    name: '§6.4 RST_STREAM of a wrong length',
    send: [open(1), h2.frame(TYPE.reset, 0, 1, Buffer.alloc(3))],
    verdict: { ends: 'frameSize' },
  },
  {
    name: '§6.5 SETTINGS with ACK and a payload',
    send: [h2.frame(TYPE.settings, ACK, 0, Buffer.alloc(6))],
    verdict: { ends: 'frameSize' },
  },
  {
    name: '§6.5 SETTINGS on a stream',
    send: [h2.frame(TYPE.settings, 0, 1, Buffer.alloc(6))],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.5 SETTINGS of a wrong length',
    send: [h2.frame(TYPE.settings, 0, 0, Buffer.alloc(7))],
    verdict: { ends: 'frameSize' },
  },
  { name: '§6.5.2 ENABLE_PUSH of 2', send: [setting(SETTING.enablePush, 2)], verdict: { ends: 'protocol' } },
  {
    name: '§6.5.2 INITIAL_WINDOW_SIZE of 2^31',
    send: [setting(SETTING.initialWindowSize, 2 ** 31)],
    verdict: { ends: 'flowControl' },
  },
  {
    name: '§6.5.2 MAX_FRAME_SIZE of 16383',
    send: [setting(SETTING.maxFrameSize, 16_383)],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.5.2 MAX_FRAME_SIZE of 2^24',
    send: [setting(SETTING.maxFrameSize, 2 ** 24)],
    verdict: { ends: 'protocol' },
  },
  { name: '§6.5.2 a setting that nobody knows', send: [setting(0xff, 1), h2.get(1)], verdict: { answers: 200 } },
  {
    name: '§6.5.3 the last of two values holds',
    send: [
      h2.settings([
        [SETTING.initialWindowSize, 0],
        [SETTING.initialWindowSize, 9],
      ]),
      h2.get(1),
    ],
    verdict: { answers: 200 },
  },
  {
    name: '§6.6 PUSH_PROMISE of a client',
    send: [open(1), h2.frame(TYPE.push, END_HEADERS, 1, concat([h2.uint32(2), block]))],
    verdict: { ends: 'protocol' },
  },
  { name: '§6.7 PING on a stream', send: [h2.frame(TYPE.ping, 0, 1, Buffer.alloc(8))], verdict: { ends: 'protocol' } },
  {
    name: '§6.7 PING of a wrong length',
    send: [h2.frame(TYPE.ping, 0, 0, Buffer.alloc(6))],
    verdict: { ends: 'frameSize' },
  },
  // RFC 9113 would have it ignored: it is Node that minds.
  { name: '§6.7 PING with ACK that answers nothing', send: [h2.ping('12345678', ACK)], verdict: { ends: 'internal' } },
  {
    name: '§6.8 GOAWAY on a stream',
    send: [h2.frame(TYPE.goaway, 0, 1, Buffer.alloc(8))],
    verdict: { ends: 'protocol' },
  },
  { name: '§6.9 WINDOW_UPDATE of 0 for the connection', send: [h2.windowUpdate(0, 0)], verdict: { ends: 'protocol' } },
  {
    name: '§6.9 WINDOW_UPDATE of 0 for a stream',
    send: [open(1), h2.windowUpdate(1, 0)],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.9 WINDOW_UPDATE of a wrong length',
    send: [h2.frame(TYPE.windowUpdate, 0, 0, Buffer.alloc(3))],
    verdict: { ends: 'frameSize' },
  },
  {
    name: '§6.9.1 a window of the connection beyond 2^31-1',
    send: [h2.windowUpdate(0, 2 ** 31 - 1)],
    verdict: { ends: 'flowControl' },
  },
  // A stream error by RFC 9113: Node ends a session for whatever nghttp2 calls an error of flow control.
  {
    name: '§6.9.1 a window of a stream beyond 2^31-1',
    send: [open(1), h2.windowUpdate(1, 2 ** 31 - 1)],
    verdict: { ends: 'flowControl' },
  },
  {
    name: '§6.9.2 SETTINGS that make a window too large',
    send: [open(1), h2.windowUpdate(1, 2 ** 30), setting(SETTING.initialWindowSize, 2 ** 31 - 1)],
    verdict: { ends: 'flowControl' },
  },
  {
    name: '§6.10 CONTINUATION on stream 0',
    send: [begun(1, block), continuation(0, Buffer.alloc(0))],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.10 CONTINUATION after the end of the block',
    send: [h2.headers(1, block, END_HEADERS), continuation(1, block)],
    verdict: { ends: 'protocol' },
  },
  {
    name: '§6.10 CONTINUATION after DATA',
    send: [open(1), h2.data(1, 'x', 0), continuation(1, block)],
    verdict: { ends: 'protocol' },
  },
];

const trailers = (fields: h2.Fields, flags = END_STREAM | END_HEADERS) => h2.headers(1, h2.literals(fields), flags);

/** Requests as HTTP/2 carries them. */
export const MESSAGES: readonly Case[] = [
  {
    name: '§8.1 a request with a body and trailers',
    send: [h2.post(1), h2.data(1, 'abc', 0), trailers([['x-sum', '1']])],
    verdict: { answers: 200 },
  },
  {
    name: '§8.1 trailers without END_STREAM',
    send: [open(1), h2.data(1, 'abc', 0), trailers([['x-sum', '1']], END_HEADERS)],
    verdict: { resets: 'protocol' },
  },
  {
    name: '§8.1 trailers with a pseudo field',
    send: [open(1), h2.data(1, 'abc', 0), trailers([[':method', 'GET']])],
    verdict: { resets: 'protocol' },
  },
  {
    name: '§8.1.1 content-length that is larger than the body',
    send: [
      h2.headers(1, h2.requestBlock([['content-length', '4']], { ':method': 'POST', ':path': '/open' }), END_HEADERS),
      h2.data(1, 'abc'),
    ],
    verdict: { resets: 'protocol' },
  },
  {
    name: '§8.1.1 content-length without a body',
    send: [request({ ':path': '/open' }, [['content-length', '4']])],
    verdict: { resets: 'protocol' },
  },
  // A stream error by RFC 9113. Node can't tell it from one of the connection.
  {
    name: '§8.1.1 content-length that is smaller than the body',
    send: [open(1, [['content-length', '1']]), h2.data(1, 'abc')],
    verdict: { ends: 'internal' },
  },
  {
    name: '§8.2.1 a field name in upper case',
    send: [request({}, [['X-Upper', '1']])],
    verdict: { resets: 'protocol' },
  },
  // Malformed by RFC 9113: nghttp2 takes such a field away and goes on. It reaches nobody (see below).
  { name: '§8.2.1 a space in a field name', send: [request({}, [['x y', '1']])], verdict: { answers: 200 } },
  { name: '§8.2.1 a colon in a field name', send: [request({}, [['x:y', '1']])], verdict: { answers: 200 } },
  { name: '§8.2.1 NUL in a field value', send: [request({}, [['x', 'a\0b']])], verdict: { answers: 200 } },
  { name: '§8.2.1 CR LF in a field value', send: [request({}, [['x', 'a\r\nb: c']])], verdict: { answers: 200 } },
  { name: '§8.2.1 a line feed in :path', send: [request({ ':path': '/a\nb' })], verdict: { resets: 'protocol' } },
  { name: '§8.2.2 Connection', send: [request({}, [['connection', 'keep-alive']])], verdict: { resets: 'protocol' } },
  {
    name: '§8.2.2 Transfer-Encoding',
    send: [request({}, [['transfer-encoding', 'chunked']])],
    verdict: { resets: 'protocol' },
  },
  { name: '§8.2.2 Upgrade', send: [request({}, [['upgrade', 'websocket']])], verdict: { resets: 'protocol' } },
  { name: '§8.2.2 Keep-Alive', send: [request({}, [['keep-alive', '1']])], verdict: { resets: 'protocol' } },
  {
    name: '§8.2.2 Proxy-Connection',
    send: [request({}, [['proxy-connection', 'close']])],
    verdict: { resets: 'protocol' },
  },
  { name: '§8.2.2 TE other than trailers', send: [request({}, [['te', 'gzip']])], verdict: { resets: 'protocol' } },
  { name: '§8.2.2 TE: trailers', send: [request({}, [['te', 'trailers']])], verdict: { answers: 200 } },
  { name: '§8.3 an unknown pseudo field', send: [request({ ':test': 'x' })], verdict: { resets: 'protocol' } },
  { name: '§8.3 a pseudo field of responses', send: [request({ ':status': '200' })], verdict: { resets: 'protocol' } },
  {
    name: '§8.3 a pseudo field behind others',
    send: [
      request({ ':path': null }, [
        ['x', '1'],
        [':path', '/'],
      ]),
    ],
    verdict: { resets: 'protocol' },
  },
  {
    name: '§8.3 a pseudo field twice',
    send: [h2.headers(1, concat([h2.literals([[':path', '/a']]), block]))],
    verdict: { resets: 'protocol' },
  },
  { name: '§8.3.1 no :method', send: [request({ ':method': null })], verdict: { resets: 'protocol' } },
  { name: '§8.3.1 no :scheme', send: [request({ ':scheme': null })], verdict: { resets: 'protocol' } },
  { name: '§8.3.1 no :path', send: [request({ ':path': null })], verdict: { resets: 'protocol' } },
  { name: '§8.3.1 an empty :path', send: [request({ ':path': '' })], verdict: { resets: 'protocol' } },
  { name: '§8.3.1 a :path without a slash', send: [request({ ':path': 'a' })], verdict: { resets: 'protocol' } },
  {
    name: '§8.3.1 :path “*” with OPTIONS',
    send: [request({ ':path': '*', ':method': 'OPTIONS' })],
    verdict: { answers: 200 },
  },
  { name: '§8.3.1 :path “*” with GET', send: [request({ ':path': '*' })], verdict: { resets: 'protocol' } },
  { name: '§8.3.1 a fragment', send: [request({ ':path': '/a#b' })], verdict: { answers: 400 } },
  {
    name: '§8.3.1 Host in place of :authority',
    send: [request({ ':authority': null }, [['host', 'shop.test']])],
    verdict: { answers: 200 },
  },
  { name: '§8.3.1 neither', send: [request({ ':authority': null })], verdict: { resets: 'protocol' } },
  {
    name: '§8.3.1 Host that differs from :authority',
    send: [request({}, [['host', 'evil.test']])],
    verdict: { answers: 400 },
  },
  {
    name: '§8.3.1 user information in :authority',
    send: [request({ ':authority': 'me@shop.test' })],
    verdict: { resets: 'protocol' },
  },
  {
    name: '§8.5 CONNECT',
    send: [request({ ':method': 'CONNECT', ':scheme': null, ':path': null })],
    verdict: { answers: 501 },
  },
  {
    name: '§8.5 CONNECT with :path',
    send: [request({ ':method': 'CONNECT', ':scheme': null })],
    verdict: { resets: 'protocol' },
  },
  {
    name: 'RFC 8441 §4: :protocol without CONNECT',
    send: [request({ ':protocol': 'websocket' })],
    verdict: { resets: 'protocol' },
  },
];

const field = (bytes: readonly number[]) => h2.headers(1, concat([block, Buffer.from(bytes)]));

/** RFC 7541. */
export const HPACK: readonly Case[] = [
  { name: '§2.3.3 an index beyond both tables', send: [field([0xff, 0x00])], verdict: { ends: 'compression' } },
  { name: '§4.2 a table size update behind the first field', send: [field([0x20])], verdict: { ends: 'compression' } },
  {
    name: '§4.2 a table size update before it',
    send: [h2.headers(1, concat([Buffer.from([0x20]), block]))],
    verdict: { answers: 200 },
  },
  {
    name: '§5.1 an integer that does not end',
    send: [field([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
    verdict: { ends: 'compression' },
  },
  {
    name: '§5.2 Huffman padding of more than 7 bits',
    send: [field([0x00, 0x01, 0x78, 0x84, 0x49, 0x50, 0x9f, 0xff])],
    verdict: { ends: 'compression' },
  },
  {
    name: '§5.2 Huffman padding of zeroes',
    send: [field([0x00, 0x83, 0x49, 0x50, 0x90, 0x00])],
    verdict: { ends: 'compression' },
  },
  {
    name: '§5.2 the EOS symbol',
    send: [field([0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x87, 0xff, 0xff, 0xff, 0xfd, 0x25, 0x42, 0x7f])],
    verdict: { ends: 'compression' },
  },
  {
    name: '§5.2 a string longer than the block',
    send: [field([0x00, 0x01, 0x78, 0x7f, 0x79])],
    verdict: { ends: 'compression' },
  },
  { name: '§6.1 index 0', send: [field([0x80])], verdict: { ends: 'compression' } },
  {
    name: '§6.1, §6.2.1 a field that was put into the table, in the next request',
    send: [
      h2.headers(1, concat([block, Buffer.from([0x40, 1, 0x78, 1, 0x79])])),
      h2.headers(3, concat([block, Buffer.from([0xbe])])),
    ],
    verdict: { answers: 200 },
  },
  { name: '§6.2.3 a field never to be indexed', send: [field([0x10, 1, 0x78, 1, 0x79])], verdict: { answers: 200 } },
  {
    name: '§6.3 a table larger than we allow',
    send: [h2.headers(1, concat([h2.integer(4_097, 5, 0x20), block]))],
    verdict: { ends: 'compression' },
  },
];
