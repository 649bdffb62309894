/** A request as an endpoint that takes nothing but the plainest syntax reads it (RFC 9112). */
export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  /** Lower-case name and value, in order. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface StrictReading {
  readonly requests: readonly StrictRequest[];
  /** What follows the last complete request. */
  readonly rest: Buffer;
}

/** What arrived does not have one meaning only. */
export class NotStrict extends Error {}

const REQUEST_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\/[\x21\x22\x24-\x7e]*|\*) HTTP\/1\.1$/;
const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)$/;

/** Reads requests off the bytes of one connection. Throws `NotStrict` on whatever another reader could take otherwise. */
export function readStrictly(bytes: Buffer): StrictReading {
  const requests: StrictRequest[] = [];
  let rest = bytes;
  for (;;) {
    const read = readOne(rest);
    if (read === null) return { requests, rest };
    requests.push(read.request);
    rest = rest.subarray(read.length);
  }
}

function readOne(bytes: Buffer): { readonly request: StrictRequest; readonly length: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const start = REQUEST_LINE.exec(line);
  if (start === null) throw new NotStrict(`request line ${JSON.stringify(line)}`);
  const fields = lines.map(fieldOf);
  const values = (name: string): string[] => fields.flatMap(([is, value]) => (is === name ? [value] : []));
  if (values('host').length !== 1) throw new NotStrict(`${values('host').length} Host fields`);
  const body = bodyOf(bytes.subarray(end + 4), values('content-length'), values('transfer-encoding'));
  if (body === null) return null;
  const request = { method: start[1] as string, target: start[2] as string, fields, body: body.text };
  return { request, length: end + 4 + body.length };
}

function fieldOf(line: string): readonly [string, string] {
  const parts = FIELD.exec(line);
  if (parts === null) throw new NotStrict(`field line ${JSON.stringify(line)}`);
  return [(parts[1] as string).toLowerCase(), parts[2] as string];
}

interface StrictBody {
  readonly text: string;
  /** On the wire. */
  readonly length: number;
}

function bodyOf(bytes: Buffer, lengths: readonly string[], codings: readonly string[]): StrictBody | null {
  if (lengths.length + codings.length > 1) throw new NotStrict(`framed by ${[...lengths, ...codings].join(' and ')}`);
  const [length] = lengths;
  if (length !== undefined) return lengthBody(bytes, length);
  const [coding] = codings;
  if (coding === undefined) return { text: '', length: 0 };
  if (coding !== 'chunked') throw new NotStrict(`Transfer-Encoding ${JSON.stringify(coding)}`);
  return chunkedBody(bytes);
}

function lengthBody(bytes: Buffer, text: string): StrictBody | null {
  if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw new NotStrict(`Content-Length ${JSON.stringify(text)}`);
  const length = Number(text);
  return bytes.length < length ? null : { text: bytes.subarray(0, length).toString('latin1'), length };
}

function chunkedBody(bytes: Buffer): StrictBody | null {
  let text = '';
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return null;
    const size = bytes.subarray(at, end).toString('latin1');
    if (!/^(0|[1-9a-fA-F][0-9a-fA-F]{0,11})$/.test(size)) throw new NotStrict(`chunk size ${JSON.stringify(size)}`);
    at = end + 2;
    const length = Number.parseInt(size, 16);
    if (length === 0) return trailerSection(bytes, at, text);
    if (bytes.length < at + length + 2) return null;
    text += bytes.subarray(at, at + length).toString('latin1');
    at += length;
    if (bytes.subarray(at, at + 2).toString('latin1') !== '\r\n') throw new NotStrict('a chunk without its CRLF');
    at += 2;
  }
}

function trailerSection(bytes: Buffer, from: number, text: string): StrictBody | null {
  let at = from;
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return null;
    if (end === at) return { text, length: end + 2 };
    const [name] = fieldOf(bytes.subarray(at, end).toString('latin1'));
    if (['content-length', 'transfer-encoding', 'host'].includes(name)) throw new NotStrict(`${name} as a trailer`);
    at = end + 2;
  }
}
