import { type ByteReader, PeerGone } from './byte-reader.ts';

/** An interim response. */
export interface RawInterim {
  readonly status: number;
  readonly fields: readonly string[];
}

/** A response as it arrived, byte for byte. */
export interface RawResponse {
  readonly status: number;
  /** Status line and fields as sent, without the empty line. */
  readonly rawHead: string;
  /** Fields as a flat list in received order and case. */
  readonly headers: readonly string[];
  /** Content, chunked coding taken off. */
  readonly body: Buffer;
  /** `body` as latin1 text. */
  readonly text: string;
  /** Trailer fields, flat. */
  readonly trailers: readonly string[];
  readonly informational: readonly RawInterim[];
  /** False when the connection ended before the response did. */
  readonly complete: boolean;
  /** First value of a field, by lower-case name. */
  header(lower: string): string | null;
  /** Every value of a field. */
  all(lower: string): readonly string[];
}

interface Head {
  readonly rawHead: string;
  readonly status: number;
  readonly headers: readonly string[];
}

interface Content {
  readonly body: Buffer;
  readonly trailers: readonly string[];
  readonly complete: boolean;
}

/** Reads the next response off `reader`, interim ones before it included. `isHead`: it answers a HEAD request. */
export async function readResponse(reader: ByteReader, isHead: boolean): Promise<RawResponse> {
  const informational: RawInterim[] = [];
  for (;;) {
    const head = await readHead(reader);
    if (head.status >= 200 || head.status === 101) {
      const bodyless = isHead || head.status === 101 || head.status === 204 || head.status === 304;
      return response(head, bodyless ? noContent : await readContent(reader, head), informational);
    }
    informational.push({ status: head.status, fields: head.headers });
  }
}

const noContent: Content = { body: Buffer.alloc(0), trailers: [], complete: true };

function response(head: Head, content: Content, informational: readonly RawInterim[]): RawResponse {
  const all = (lower: string): string[] =>
    head.headers.filter((_, i) => i % 2 === 1 && head.headers[i - 1]?.toLowerCase() === lower);
  return {
    ...head,
    ...content,
    text: content.body.toString('latin1'),
    informational,
    all,
    header: (lower) => all(lower)[0] ?? null,
  };
}

async function readHead(reader: ByteReader): Promise<Head> {
  const rawHead = (await reader.until('\r\n\r\n')).toString('latin1').slice(0, -4);
  const [statusLine = '', ...lines] = rawHead.split('\r\n');
  return { rawHead, status: Number(statusLine.split(' ')[1]), headers: fieldsOf(lines) };
}

function fieldsOf(lines: readonly string[]): string[] {
  return lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
}

async function readContent(reader: ByteReader, head: Head): Promise<Content> {
  const value = (lower: string): string | undefined =>
    head.headers.find((_, i) => i % 2 === 1 && head.headers[i - 1]?.toLowerCase() === lower);
  const parts: Buffer[] = [];
  try {
    if (value('transfer-encoding') !== undefined) {
      const trailers = await readChunks(reader, parts);
      return { body: Buffer.concat(parts), trailers, complete: true };
    }
    const length = value('content-length');
    await (length === undefined ? readAll(reader, parts) : readLength(reader, parts, Number(length)));
    return { body: Buffer.concat(parts), trailers: [], complete: true };
  } catch (error) {
    if (!(error instanceof PeerGone)) throw error;
    return { body: Buffer.concat(parts), trailers: [], complete: false };
  }
}

async function readChunks(reader: ByteReader, parts: Buffer[]): Promise<string[]> {
  for (;;) {
    const size = Number.parseInt((await reader.until('\r\n')).toString('latin1'), 16);
    if (size === 0) break;
    await readLength(reader, parts, size);
    await reader.read(2);
  }
  const lines: string[] = [];
  for (;;) {
    const line = (await reader.until('\r\n')).toString('latin1').slice(0, -2);
    if (line === '') return fieldsOf(lines);
    lines.push(line);
  }
}

/** Piece by piece, so that what came before an early end is kept. */
async function readLength(reader: ByteReader, parts: Buffer[], length: number): Promise<void> {
  for (let left = length; left > 0; ) {
    const part = await reader.upTo(left);
    parts.push(part);
    left -= part.length;
  }
}

async function readAll(reader: ByteReader, parts: Buffer[]): Promise<void> {
  for (let part = await reader.some(); part !== null; part = await reader.some()) parts.push(part);
}
