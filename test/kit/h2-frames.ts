/** Types of HTTP/2 frames (RFC 9113 §6). */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const PRIORITY = 0x20;

/** Error codes (RFC 9113 §7). */
export const CODE = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Settings (RFC 9113 §6.5.2, RFC 8441 §3). */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

const nothing = Buffer.alloc(0);

/** Any frame; `length` may lie about the payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = nothing,
  length?: number,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? payload.byteLength, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function settings(values: readonly (readonly [id: number, value: number])[] = []): Buffer {
  const payload = Buffer.alloc(6 * values.length);
  values.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, 6 * i);
    payload.writeUInt32BE(value, 6 * i + 2);
  });
  return frame(TYPE.settings, 0, 0, payload);
}

export const settingsAck: Buffer = frame(TYPE.settings, ACK, 0);

/** `mark`: eight octets. */
export function ping(mark = 'pingpong', flags = 0): Buffer {
  return frame(TYPE.ping, flags, 0, Buffer.from(mark, 'latin1'));
}

export function windowUpdate(stream: number, increment: number): Buffer {
  return frame(TYPE.windowUpdate, 0, stream, uint32(increment));
}

export function reset(stream: number, code: number = CODE.cancel): Buffer {
  return frame(TYPE.reset, 0, stream, uint32(code));
}

export function priority(stream: number, dependsOn = 0, weight = 15): Buffer {
  return frame(TYPE.priority, 0, stream, Buffer.concat([uint32(dependsOn), Buffer.from([weight])]));
}

export function data(stream: number, body: string | Uint8Array, flags = END_STREAM): Buffer {
  return frame(TYPE.data, flags, stream, Buffer.from(body as string));
}

/** A whole header block in one frame. */
export function headers(stream: number, block: Uint8Array, flags = END_STREAM | END_HEADERS): Buffer {
  return frame(TYPE.headers, flags, stream, block);
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** Fields as literals without indexing and without Huffman coding (RFC 7541 §6.2.2). */
export function literals(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

/** The head of a request, whatever else is given after its pseudo fields. */
export function requestBlock(more: Fields = [], over: Readonly<Record<string, string | null>> = {}): Buffer {
  const pseudo = { ':method': 'GET', ':scheme': 'https', ':path': '/', ':authority': 'shop.test', ...over };
  const given = Object.entries(pseudo).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  return literals([...given, ...more]);
}

/** A whole GET on `stream`. */
export function get(stream: number, more: Fields = []): Buffer {
  return headers(stream, requestBlock(more));
}

/** The head of a POST whose body follows. */
export function post(stream: number, more: Fields = []): Buffer {
  return headers(stream, requestBlock(more, { ':method': 'POST' }), END_HEADERS);
}

/** An integer with a prefix of `bits` (RFC 7541 §5.1); `first` holds the bits above it. */
export function integer(value: number, bits: number, first = 0): Buffer {
  const limit = 2 ** bits - 1;
  if (value < limit) return Buffer.from([first | value]);
  const octets = [first | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) octets.push((rest % 128) + 128);
  octets.push(rest);
  return Buffer.from(octets);
}

function text(value: string): Buffer {
  const octets = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(octets.length, 7), octets]);
}

export function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}
