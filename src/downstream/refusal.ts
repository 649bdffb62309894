import { STATUS_CODES } from 'node:http';

/** The body of a refusal: its status and enumerated reason, nothing of the request. */
export function refusalText(status: number, reason: string): string {
  return `${status} ${STATUS_CODES[status] ?? 'Refused'}: ${reason}\n`;
}

/** Fields of a refusal, RFC 9209 included. The connection closes after it. `hsts` is the listener's, `null` for none. */
export function refusalFields(text: string, hsts: string | null): readonly string[] {
  return [
    ...(hsts === null ? [] : ['Strict-Transport-Security', hsts]),
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(text.length),
    'X-Content-Type-Options',
    'nosniff',
    'Proxy-Status',
    'headgate; error=http_request_error',
  ];
}

/** A whole refusal for a connection on which Node has no response object. */
export function refusalMessage(status: number, reason: string, hsts: string | null): string {
  const text = refusalText(status, reason);
  const fields = refusalFields(text, hsts);
  let message = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n`;
  for (let i = 0; i < fields.length; i += 2) message += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${message}Connection: close\r\n\r\n${text}`;
}

/** An error of Node's HTTP parser, or of the socket under it. */
export interface ParserError {
  readonly code?: string | undefined;
  /** The parser's words for it. */
  readonly reason?: unknown;
  readonly rawPacket?: unknown;
  /** Where in the packet. */
  readonly bytesParsed?: unknown;
}

export interface ParserAnswer {
  readonly status: number;
  /** Enumerated kebab-case. */
  readonly reason: string;
}

/** What to answer to an error of the parser; `null` when the peer is gone and nothing can be answered. */
export function answerTo(error: ParserError): ParserAnswer | null {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, reason: 'head-too-large' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, reason: 'chunk-extensions' };
    case 'HPE_INVALID_VERSION':
      // The same code stands for a well-formed version that is none, and for whatever else is wrong around it.
      return error.reason === 'Invalid HTTP version'
        ? { status: 505, reason: 'http-version' }
        : { status: 400, reason: 'bad-request-line' };
    case 'HPE_INVALID_METHOD':
      return stoppedAtLetter(error) ? { status: 501, reason: 'unknown-method' } : { status: 400, reason: 'not-http' };
    case 'HPE_INVALID_EOF_STATE':
      return null;
  }
  // Everything that is not the parser's own (`ECONNRESET`, `EPIPE`, …) means that nobody is there to read an answer.
  return error.code?.startsWith('HPE_') === true ? { status: 400, reason: kebab(error.code) } : null;
}

/** `HPE_INVALID_HEADER_TOKEN` → `invalid-header-token`: a fixed set, as the parser's codes are. */
function kebab(code: string): string {
  return code.slice(4).toLowerCase().replaceAll('_', '-');
}

/**
 * A method that nobody knows is still a token (RFC 9110 §9.1), anything else is not HTTP at all. The byte at which the parser gave
 * up decides, and not those around it: they may be in another packet.
 */
function stoppedAtLetter({ rawPacket, bytesParsed }: ParserError): boolean {
  if (!(rawPacket instanceof Uint8Array) || typeof bytesParsed !== 'number') return false;
  return isLetter(rawPacket[bytesParsed] ?? 0);
}

function isLetter(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x2d || c === 0x5f;
}
