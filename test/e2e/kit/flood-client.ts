import { connect as connectHttp2, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { FloodOrigin } from './flood-origin.ts';
import { FloodWriter, type Pausable, SlowReader } from './flow.ts';

/** What came of a flood. */
export interface FloodResult {
  readonly status: number;
  /** Body bytes that arrived: at the client of a download, at the endpoint of an upload. */
  readonly received: number;
  readonly pauses: number;
  /** The most that was under way between writer and reader while the reader had stopped. */
  readonly mostBetween: number;
}

const READ_BYTES = 1024 * 1024;

/** GET over HTTP/1.1 on a bare socket: the body is counted and dropped, in big bites. */
export async function download(port: number, origin: FloodOrigin): Promise<FloodResult> {
  let head = '';
  let status = 0;
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (bytes, buffer) => {
        if (status !== 0) {
          reader.take(bytes);
          return true;
        }
        head += Buffer.from(buffer.subarray(0, bytes)).toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end === -1) return true;
        status = Number(head.slice(9, 12));
        reader.take(head.length - end - 4);
        return true;
      },
    },
  });
  const reader = slowReader(socket, origin);
  failOn(socket, reader);
  socket.write('GET /flood HTTP/1.1\r\nHost: flood.test\r\n\r\n');
  try {
    return await resultOf(reader, () => status);
  } finally {
    socket.destroy();
  }
}

/** GET over HTTP/2 and TLS. */
export async function downloadHttp2(port: number, ca: string, origin: FloodOrigin): Promise<FloodResult> {
  const session = connectHttp2(`https://localhost:${port}`, { ca, settings: { initialWindowSize: 4 * READ_BYTES } });
  session.on('connect', () => session.setLocalWindowSize(4 * READ_BYTES));
  const stream = session.request({ ':path': '/flood' });
  const reader = slowReader(stream, origin);
  let status = 0;
  stream.on('response', (headers) => {
    status = Number(headers[constants.HTTP2_HEADER_STATUS]);
  });
  stream.on('data', (chunk: Uint8Array) => reader.take(chunk.length));
  stream.on('error', (error) => reader.fail(error));
  stream.on('close', () => reader.fail(new Error('The stream was closed before the end of the body')));
  session.on('error', (error) => reader.fail(error));
  try {
    return await resultOf(reader, () => status);
  } finally {
    session.destroy();
  }
}

/** POST over HTTP/1.1 on a bare socket. */
export async function upload(port: number, origin: FloodOrigin): Promise<FloodResult> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const answered = Promise.withResolvers<string>();
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    if (/\r\n\r\n\d+$/.test(answer)) answered.resolve(answer);
  });
  socket.on('error', answered.reject);
  socket.on('close', () => answered.reject(new Error(`The connection was closed early: ${answer}`)));
  socket.write(`POST /flood HTTP/1.1\r\nHost: flood.test\r\nContent-Length: ${origin.flood.total}\r\n\r\n`);
  origin.uploader = () => writer;
  const writer = new FloodWriter(socket, origin.flood.total);
  try {
    const text = await answered.promise;
    return uploadResult(Number(text.slice(9, 12)), text.split('\r\n\r\n')[1] ?? '', origin);
  } finally {
    socket.destroy();
  }
}

/** POST over HTTP/2 and TLS. */
export async function uploadHttp2(port: number, ca: string, origin: FloodOrigin): Promise<FloodResult> {
  const session = connectHttp2(`https://localhost:${port}`, { ca });
  const answered = Promise.withResolvers<void>();
  const stream = session.request({
    ':method': 'POST',
    ':path': '/flood',
    'content-length': String(origin.flood.total),
  });
  let status = 0;
  let text = '';
  stream.on('response', (headers) => {
    status = Number(headers[constants.HTTP2_HEADER_STATUS]);
  });
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  stream.on('end', answered.resolve);
  stream.on('error', answered.reject);
  session.on('error', answered.reject);
  origin.uploader = () => writer;
  const writer = new FloodWriter(stream, origin.flood.total);
  writer.done.then(() => stream.end(), answered.reject);
  try {
    await answered.promise;
    return uploadResult(status, text, origin);
  } finally {
    session.destroy();
  }
}

function uploadResult(status: number, body: string, origin: FloodOrigin): FloodResult {
  const { pauses, mostBetween } = origin.lastUpload ?? { pauses: 0, mostBetween: 0 };
  return { status, received: Number(body), pauses, mostBetween };
}

function slowReader(source: Pausable, origin: FloodOrigin): SlowReader {
  return new SlowReader(source, {
    ...origin.flood,
    writer: () => {
      if (origin.writer === null) throw new Error('The endpoint was never asked');
      return origin.writer;
    },
  });
}

function failOn(socket: Socket, reader: SlowReader): void {
  socket.on('error', (error) => reader.fail(error));
  socket.on('close', () => reader.fail(new Error('The connection was closed before the end of the body')));
}

async function resultOf(reader: SlowReader, status: () => number): Promise<FloodResult> {
  await reader.done;
  const { received, pauses, mostBetween } = reader;
  return { status: status(), received, pauses, mostBetween };
}
