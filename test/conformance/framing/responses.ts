/**
 * What a client must see: 502, a response that visibly breaks off (or 502, if that was known in time), or exactly this one.
 * In each case its next request is answered with what belongs to it.
 */
export type ResponseOutcome = 'refused' | 'cut' | { readonly status: number; readonly body: string };

export interface MalformedResponse {
  readonly what: string;
  /** Latin-1. */
  readonly bytes: string;
  /** What the endpoint does then. Default `stay`. */
  readonly afterwards?: 'stay' | 'end' | 'reset';
  /** Default `GET`. */
  readonly method?: string;
  readonly outcome: ResponseOutcome;
}

/** A whole response to a request that nobody has made yet. */
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
const hello: ResponseOutcome = { status: 200, body: 'hello' };

const statusLine = (what: string, text: string, outcome: ResponseOutcome = 'refused'): MalformedResponse => ({
  what: `the status line ${what}`,
  bytes: `${text}\r\nContent-Length: 5\r\n\r\nhello`,
  outcome,
});

/** Field lines of a response that is in order otherwise. */
const fields = (what: string, text: string, outcome: ResponseOutcome = 'refused'): MalformedResponse => ({
  what,
  bytes: `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n${text}\r\n\r\nhello`,
  outcome,
});

const framed = (
  what: string,
  text: string,
  body: string,
  rest: Pick<MalformedResponse, 'afterwards' | 'outcome'> = { outcome: 'refused' },
): MalformedResponse => ({ what, bytes: `HTTP/1.1 200 OK\r\n${text}\r\n\r\n${body}`, ...rest });

const chunks = (what: string, body: string, outcome: ResponseOutcome = 'cut'): MalformedResponse =>
  framed(`chunked coding with ${what}`, 'Transfer-Encoding: chunked', body, { outcome });

/** RFC 9112 §4. */
const statusLines: readonly MalformedResponse[] = [
  statusLine('of another protocol', 'ICY 200 OK'),
  statusLine('of HTTP/2', 'HTTP/2 200 OK'),
  // undici's parser takes it and does not tell; version and reason phrase of an endpoint are never passed on.
  statusLine('of HTTP/2.0', 'HTTP/2.0 200 OK', hello),
  statusLine('with a NUL in the reason', 'HTTP/1.1 200 O\0K', hello),
  statusLine('of HTTP/1.2', 'HTTP/1.2 200 OK'),
  statusLine('with a version in lower case', 'http/1.1 200 OK'),
  statusLine('with two spaces before the status', 'HTTP/1.1  200 OK'),
  statusLine('with a tab before the status', 'HTTP/1.1\t200 OK'),
  statusLine('with a blank before it', ' HTTP/1.1 200 OK'),
  statusLine('with a status of two digits', 'HTTP/1.1 20 OK'),
  statusLine('with a status of four digits', 'HTTP/1.1 2000 OK'),
  statusLine('with a status in words', 'HTTP/1.1 OK OK'),
  statusLine('with a negative status', 'HTTP/1.1 -20 OK'),
  statusLine('without a status', 'HTTP/1.1'),
  statusLine('with the status 000', 'HTTP/1.1 000 No'),
  statusLine('with the status 099', 'HTTP/1.1 099 No'),
  statusLine('with a bare CR in the reason', 'HTTP/1.1 200 O\rK'),
  statusLine('without a reason', 'HTTP/1.1 200 ', hello),
  statusLine('without a reason and its space', 'HTTP/1.1 200', hello),
  statusLine('with a reason beyond ASCII', 'HTTP/1.1 200 \xc9t\xe9', hello),
  { what: 'no status line at all (HTTP/0.9)', bytes: 'hello\r\n', afterwards: 'end', outcome: 'refused' },
  { what: 'a TLS alert', bytes: '\x15\x03\x01\x00\x02\x02\x16', afterwards: 'end', outcome: 'refused' },
  { what: 'an HTTP/2 preface', bytes: '\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64', outcome: 'refused' },
  { what: 'nothing but an end', bytes: '', afterwards: 'end', outcome: 'refused' },
  { what: 'nothing but a reset', bytes: '', afterwards: 'reset', outcome: 'refused' },
  { what: 'half a status line', bytes: 'HTTP/1.1 20', afterwards: 'end', outcome: 'refused' },
  { what: 'half a head', bytes: 'HTTP/1.1 200 OK\r\nContent-Le', afterwards: 'end', outcome: 'refused' },
  { what: 'bare LF everywhere', bytes: 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', outcome: 'refused' },
  {
    what: 'bare CR everywhere',
    bytes: 'HTTP/1.1 200 OK\rContent-Length: 5\r\rhello',
    afterwards: 'end',
    outcome: 'refused',
  },
];

/** RFC 9112 §5. */
const fieldLines: readonly MalformedResponse[] = [
  fields('a blank before a colon', 'X : y'),
  fields('a field without a colon', 'Xy'),
  fields('a field without a name', ': y'),
  fields('a blank in a field name', 'X Y: z'),
  fields('a NUL in a field name', 'X\0: y'),
  fields('a letter beyond ASCII in a field name', 'X\xe9: y'),
  fields('a NUL in a value', 'X: y\0z'),
  fields('a control byte in a value', 'X: y\x01z'),
  fields('a bare CR in a value', 'X: y\rz'),
  fields('a bare LF in a value', 'X: y\nZ: a'),
  fields('a folded field', 'X: y\r\n z'),
  fields('a folded field that hides a coding', 'X: y\r\n Transfer-Encoding: chunked'),
  fields('a head beyond the limit', `X: ${'y'.repeat(200_000)}`),
  fields('bytes beyond ASCII in a value', 'X: \xe9', hello),
  fields('hop-by-hop fields', 'Connection: X, close\r\nX: y\r\nKeep-Alive: timeout=1', hello),
];

/** RFC 9112 §6.3. */
const lengths: readonly MalformedResponse[] = [
  framed('two different lengths', 'Content-Length: 5\r\nContent-Length: 6', 'hello!'),
  framed('two equal lengths', 'Content-Length: 5\r\nContent-Length: 5', 'hello'),
  framed('a list of lengths', 'Content-Length: 5, 5', 'hello'),
  framed('a length with a plus', 'Content-Length: +5', 'hello'),
  framed('a negative length', 'Content-Length: -5', 'hello'),
  framed('a hexadecimal length', 'Content-Length: 0x5', 'hello'),
  framed('a length in words', 'Content-Length: five', 'hello'),
  framed('an empty length', 'Content-Length:', 'hello'),
  framed('a length with a semicolon', 'Content-Length: 5;', 'hello'),
  framed('a length of two numbers', 'Content-Length: 5 5', 'hello'),
  framed('a length that overflows 64 bits to 5', 'Content-Length: 18446744073709551621', 'hello'),
  framed('a length with a vertical tab', 'Content-Length: \x0b5', 'hello'),
  framed('a length, then chunked', 'Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  framed('chunked, then a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5', '0\r\n\r\n'),
  framed('a body that is shorter than its length', 'Content-Length: 9', 'hello', { afterwards: 'end', outcome: 'cut' }),
  framed('a body that is shorter than its length, and a reset', 'Content-Length: 9', 'hello', {
    afterwards: 'reset',
    outcome: 'cut',
  }),
  framed('a body that is longer than its length', 'Content-Length: 5', 'hello, world', { outcome: hello }),
  framed('another response behind the body', 'Content-Length: 5', `hello${POISON}`, { outcome: hello }),
  framed('another response behind an empty body', 'Content-Length: 0', POISON, { outcome: { status: 200, body: '' } }),
  framed('no length and an end', 'X: y', 'hello', { afterwards: 'end', outcome: hello }),
  framed('no length and a reset', 'X: y', 'hello', { afterwards: 'reset', outcome: 'cut' }),
];

/** RFC 9112 §6.1. */
const codings: readonly MalformedResponse[] = [
  framed('gzip', 'Transfer-Encoding: gzip', 'hello', { afterwards: 'end', outcome: 'refused' }),
  framed('gzip, chunked', 'Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
  framed('identity', 'Transfer-Encoding: identity', 'hello', { afterwards: 'end', outcome: 'refused' }),
  framed('chunked twice', 'Transfer-Encoding: chunked, chunked', '0\r\n\r\n'),
  framed('chunked in two fields', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  framed('chunked, then identity', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', '0\r\n\r\n'),
  framed('xchunked', 'Transfer-Encoding: xchunked', '5\r\nhello\r\n0\r\n\r\n', {
    afterwards: 'end',
    outcome: 'refused',
  }),
  framed('chunked with a tab after it', 'Transfer-Encoding: chunked\t', '5\r\nhello\r\n0\r\n\r\n', {
    afterwards: 'end',
    outcome: 'refused',
  }),
  framed('chunked with a parameter', 'Transfer-Encoding: chunked;q=1', '5\r\nhello\r\n0\r\n\r\n', {
    afterwards: 'end',
    outcome: 'refused',
  }),
  framed('chunked with a vertical tab before it', 'Transfer-Encoding: \x0bchunked', '5\r\nhello\r\n0\r\n\r\n', {
    afterwards: 'end',
    outcome: 'refused',
  }),
  framed('an empty coding', 'Transfer-Encoding:', 'hello', { afterwards: 'end', outcome: 'refused' }),
  framed('a blank before the colon of the coding', 'Transfer-Encoding : chunked', '0\r\n\r\n'),
];

/** RFC 9112 §7.1. */
const chunkedBodies: readonly MalformedResponse[] = [
  chunks('a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'),
  chunks('a negative size', '-5\r\nhello\r\n0\r\n\r\n'),
  chunks('a size that is none', 'hello\r\n0\r\n\r\n'),
  chunks('an empty size', '\r\nhello\r\n0\r\n\r\n'),
  chunks('a blank before a size', ' 5\r\nhello\r\n0\r\n\r\n'),
  chunks('a size that overflows 64 bits to 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  chunks('a size that ends with a bare LF', '5\nhello\r\n0\r\n\r\n'),
  chunks('a size that ends with a bare CR', '5\rhello\r\n0\r\n\r\n'),
  chunks('data without its CRLF', '5\r\nhello0\r\n\r\n'),
  chunks('data that ends with a bare LF', '5\r\nhello\n0\r\n\r\n'),
  chunks('an extension that ends with a bare LF', '5;a\nhello\r\n0\r\n\r\n'),
  chunks('a folded trailer', '5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n'),
  chunks('a trailer without a colon', '5\r\nhello\r\n0\r\nXy\r\n\r\n'),
  chunks('a NUL in a trailer', '5\r\nhello\r\n0\r\nX: \0\r\n\r\n'),
  chunks('an extension', '5;a=b\r\nhello\r\n0\r\n\r\n', hello),
  chunks('another response behind it', `5\r\nhello\r\n0\r\n\r\n${POISON}`, hello),
  framed('chunked coding without an end', 'Transfer-Encoding: chunked', '5\r\nhello\r\n', {
    afterwards: 'end',
    outcome: 'cut',
  }),
  framed('chunked coding that ends within its trailers', 'Transfer-Encoding: chunked', '5\r\nhello\r\n0\r\n', {
    afterwards: 'end',
    outcome: 'cut',
  }),
];

/** RFC 9110 §6.4.1 and §15.2: what has no body, and what is no final response. */
const bodiless: readonly MalformedResponse[] = [
  { what: 'a 204 with a body', bytes: `HTTP/1.1 204 No Content\r\n\r\n${POISON}`, outcome: { status: 204, body: '' } },
  {
    what: 'a 204 with a length and a body',
    bytes: `HTTP/1.1 204 No Content\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    outcome: { status: 204, body: '' },
  },
  {
    what: 'a 204 with chunks',
    bytes: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    outcome: { status: 204, body: '' },
  },
  {
    what: 'a 304 with a length and no body',
    bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    outcome: { status: 304, body: '' },
  },
  {
    what: 'a 304 with a length and a body',
    bytes: `HTTP/1.1 304 Not Modified\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    outcome: { status: 304, body: '' },
  },
  {
    what: 'an answer to HEAD with a body',
    method: 'HEAD',
    bytes: `HTTP/1.1 200 OK\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}`,
    outcome: { status: 200, body: '' },
  },
  {
    what: 'an answer to HEAD with chunks',
    method: 'HEAD',
    bytes: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    outcome: { status: 200, body: '' },
  },
  {
    what: 'a 101 that nobody asked for',
    bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    outcome: 'refused',
  },
  { what: 'a 101 without its fields', bytes: 'HTTP/1.1 101 Switching Protocols\r\n\r\n', outcome: 'refused' },
  { what: 'interim responses without end', bytes: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100), outcome: 'refused' },
  {
    what: 'an interim response, then an end',
    bytes: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    afterwards: 'end',
    outcome: 'refused',
  },
  {
    what: 'an interim response, then a final one',
    bytes: 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    outcome: hello,
  },
];

/** By chapter. */
export const malformedResponses: Readonly<Record<string, readonly MalformedResponse[]>> = {
  'status lines': statusLines,
  'field lines': fieldLines,
  lengths,
  'transfer codings': codings,
  'chunked bodies': chunkedBodies,
  'what has no body': bodiless,
};
