/** What must come of a message: a refusal, or exactly one request with this method, target and body. */
export type Outcome =
  | { readonly refused: readonly number[] }
  | { readonly one: { readonly method?: string; readonly target?: string; readonly body?: string } }
  /** It never ends, and no endpoint may take it for one that did. */
  | { readonly unfinished: true };

export interface MalformedRequest {
  readonly what: string;
  /** Latin-1. */
  readonly bytes: string;
  readonly outcome: Outcome;
}

export const HOST = 'Host: shop.test\r\n';
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;

const refused = (...statuses: number[]): Outcome => ({ refused: statuses });
const one = (expected: { method?: string; target?: string; body?: string } = {}): Outcome => ({ one: expected });

/** A request line with a proper rest. */
const line = (what: string, text: string, outcome: Outcome): MalformedRequest => ({
  what: `the request line ${what}`,
  bytes: `${text}\r\n${HOST}\r\n`,
  outcome,
});

/** Field lines after a proper request line and Host. */
const fields = (what: string, text: string, outcome: Outcome): MalformedRequest => ({
  what,
  bytes: `GET / HTTP/1.1\r\n${HOST}${text}\r\n\r\n`,
  outcome,
});

/** A POST with these framing fields and this body. */
const framed = (what: string, text: string, body: string, outcome: Outcome): MalformedRequest => ({
  what,
  bytes: `POST / HTTP/1.1\r\n${HOST}${text}\r\n\r\n${body}`,
  outcome,
});

const chunks = (what: string, body: string, outcome: Outcome): MalformedRequest =>
  framed(`chunked coding with ${what}`, 'Transfer-Encoding: chunked', body, outcome);

const host = (what: string, text: string, outcome: Outcome): MalformedRequest => ({
  what: `a Host ${what}`,
  bytes: `GET / HTTP/1.1\r\n${text}\r\n`,
  outcome,
});

const CHUNKED_SMUGGLE = `0\r\n\r\n${SMUGGLED}`;

/** RFC 9112 §3: method SP request-target SP HTTP-version CRLF, and nothing looser. */
const requestLines: readonly MalformedRequest[] = [
  line('with a leading space', ' GET / HTTP/1.1', refused(400)),
  line('with a leading tab', '\tGET / HTTP/1.1', refused(400)),
  // §3 allows to split at any blanks, and Node's parser does; what goes on has one of each.
  line('with two spaces after the method', 'GET  /one HTTP/1.1', one({ target: '/one' })),
  line('with two spaces before the version', 'GET /one  HTTP/1.1', one({ target: '/one' })),
  line('with tabs for spaces', 'GET\t/\tHTTP/1.1', refused(400)),
  line('with a form feed for a space', 'GET\f/ HTTP/1.1', refused(400)),
  line('with a blank after the version', 'GET / HTTP/1.1 ', refused(400)),
  line('with a tab after the version', 'GET / HTTP/1.1\t', refused(400)),
  line('of HTTP/0.9', 'GET /', refused(400, 505)),
  line('without a target', 'GET HTTP/1.1', refused(400)),
  line('with an empty target', 'GET  HTTP/1.1', refused(400)),
  line('with a version in lower case', 'GET / http/1.1', refused(400)),
  line('with a version of another protocol', 'GET / HTTPS/1.1', refused(400)),
  line('with three version numbers', 'GET / HTTP/1.1.1', refused(400)),
  line('with a version of two digits', 'GET / HTTP/1.10', refused(400)),
  line('with a version with a leading zero', 'GET / HTTP/01.1', refused(400, 505)),
  line('with half a version', 'GET / HTTP/1.', refused(400)),
  line('with the other half of a version', 'GET / HTTP/.1', refused(400)),
  line('with a negative version', 'GET / HTTP/-1.1', refused(400)),
  line('of HTTP/0.9 that says so', 'GET / HTTP/0.9', refused(400, 505)),
  line('of HTTP/2.0', 'GET / HTTP/2.0', refused(400, 505)),
  line('of HTTP/3.0', 'GET / HTTP/3.0', refused(400, 505)),
  line('of HTTP/1.2', 'GET / HTTP/1.2', refused(400, 505)),
  // Node's parser takes these protocols for HTTP/1.0 and does not tell; what goes on is HTTP/1.1.
  line('of RTSP', 'GET /one RTSP/1.0', one({ method: 'GET', target: '/one' })),
  line('of ICE', 'SOURCE /one ICE/1.0', one({ method: 'SOURCE', target: '/one' })),
  line('without a method', ' / HTTP/1.1', refused(400)),
  line('with a delimiter in the method', 'GE(T / HTTP/1.1', refused(400)),
  line('with a colon after the method', 'GET: / HTTP/1.1', refused(400)),
  line('with a NUL in the method', 'GE\0T / HTTP/1.1', refused(400)),
  line('with a letter beyond ASCII in the method', 'G\xc9T / HTTP/1.1', refused(400)),
  line('with a method in lower case that Node has no name for', 'get / HTTP/1.1', refused(400, 501)),
  line('with a quoted method', '"GET" / HTTP/1.1', refused(400)),
  line('with a relative target', 'GET foo HTTP/1.1', refused(400)),
  line('with a relative target that looks like a query', 'GET ?a=b HTTP/1.1', refused(400)),
  line('with a space in the target', 'GET /a b HTTP/1.1', refused(400)),
  line('with a second request line in the target', 'GET /a HTTP/1.1 /smuggled HTTP/1.1', refused(400)),
  line('with a NUL in the target', 'GET /a\0b HTTP/1.1', refused(400)),
  line('with a DEL in the target', 'GET /a\x7fb HTTP/1.1', refused(400)),
  line('with a control byte in the target', 'GET /a\x01b HTTP/1.1', refused(400)),
  line('with bytes beyond ASCII in the target', 'GET /\xff\xfe HTTP/1.1', refused(400)),
  line('with a fragment', 'GET /a#b HTTP/1.1', refused(400)),
  line('with a bare CR in the target', 'GET /a\rb HTTP/1.1', refused(400)),
  line('with a bare CR before the version', 'GET /\rHTTP/1.1', refused(400)),
  line('with the authority form and GET', 'GET shop.test:80 HTTP/1.1', refused(400)),
  line('with an asterisk and GET', 'GET * HTTP/1.1', refused(400)),
  line('with CONNECT', 'CONNECT shop.test:443 HTTP/1.1', refused(400, 501)),
  line('with CONNECT and a path', 'CONNECT /a HTTP/1.1', refused(400, 501)),
  line('with an absolute target of another scheme', 'GET ftp://shop.test/a HTTP/1.1', refused(400)),
  line('with an absolute target without a host', 'GET http:///a HTTP/1.1', refused(400)),
  line('with an absolute target with a user', 'GET http://evil@shop.test/a HTTP/1.1', refused(400)),
  line('with an absolute target whose bracket stays open', 'GET http://[::1/a HTTP/1.1', refused(400)),
  line('with an absolute target with a bad port', 'GET http://shop.test:port/a HTTP/1.1', refused(400)),
  line('with an absolute target', 'GET http://shop.test/one HTTP/1.1', one({ target: '/one' })),
  line('with an absolute target that is not its Host', 'GET http://other.test/one HTTP/1.1', one({ target: '/one' })),
  line('with an absolute target without a path', 'GET http://shop.test HTTP/1.1', one({ target: '/' })),
  line(
    'with a target that begins like an authority',
    'GET //evil.test/one HTTP/1.1',
    one({ target: '/evil.test/one' }),
  ),
  line('with an extension method', 'PROPFIND /one HTTP/1.1', one({ method: 'PROPFIND', target: '/one' })),
  line('with a target beyond every limit', `GET /${'a'.repeat(70_000)} HTTP/1.1`, refused(414, 431)),
];

/** RFC 9112 §2.2: lines end with CRLF; what merely looks like one is not read as one. */
const lineEnds: readonly MalformedRequest[] = [
  { what: 'bare LF everywhere', bytes: 'GET / HTTP/1.1\nHost: shop.test\n\n', outcome: refused(400) },
  { what: 'bare CR everywhere', bytes: 'GET / HTTP/1.1\rHost: shop.test\r\r', outcome: refused(400) },
  { what: 'a bare LF after the request line', bytes: `GET / HTTP/1.1\n${HOST}\r\n`, outcome: refused(400) },
  { what: 'a bare LF after a field', bytes: `GET / HTTP/1.1\r\nHost: shop.test\nX: y\r\n\r\n`, outcome: refused(400) },
  { what: 'a bare LF for the empty line', bytes: `GET / HTTP/1.1\r\n${HOST}\n`, outcome: refused(400) },
  {
    what: 'a bare CR for the empty line',
    bytes: `GET / HTTP/1.1\r\n${HOST}\rGET /smuggled HTTP/1.1\r\n\r\n`,
    outcome: refused(400),
  },
  { what: 'CR CR LF after a field', bytes: 'GET / HTTP/1.1\r\nHost: shop.test\r\r\n\r\n', outcome: refused(400) },
  { what: 'CR CR LF after the request line', bytes: `GET / HTTP/1.1\r\r\n${HOST}\r\n`, outcome: refused(400) },
  { what: 'an empty line with a blank in it', bytes: `GET / HTTP/1.1\r\n${HOST} \r\n\r\n`, outcome: refused(400) },
  {
    what: 'empty lines before the request (RFC 9112 §2.2 ignores them)',
    bytes: `\r\n\r\nGET /one HTTP/1.1\r\n${HOST}\r\n`,
    outcome: one({ target: '/one' }),
  },
  { what: 'a NUL before the request', bytes: `\0GET / HTTP/1.1\r\n${HOST}\r\n`, outcome: refused(400) },
  {
    what: 'a byte order mark before the request',
    bytes: `\xef\xbb\xbfGET / HTTP/1.1\r\n${HOST}\r\n`,
    outcome: refused(400),
  },
  {
    what: 'a request of another protocol: TLS',
    bytes: '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03\r\n\r\n',
    outcome: refused(400),
  },
  {
    what: 'a request of another protocol: SSH',
    bytes: 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
    // The second letter is that of no method, and what follows may be in another packet: it could still be one (RFC 9110 §9.1).
    outcome: refused(400, 501),
  },
  {
    what: 'a request of another protocol: the HTTP/2 preface',
    bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    outcome: refused(400, 501, 505),
  },
  {
    what: 'a request of another protocol: PROXY',
    bytes: `PROXY TCP4 6.6.6.6 1.1.1.1 1 2\r\nGET / HTTP/1.1\r\n${HOST}\r\n`,
    outcome: refused(400, 501),
  },
  {
    what: 'a request of another protocol: SMTP',
    bytes: 'EHLO shop.test\r\nMAIL FROM:<a@shop.test>\r\n\r\n',
    outcome: refused(400, 501),
  },
];

/** RFC 9112 §5, RFC 9110 §5.5. */
const fieldLines: readonly MalformedRequest[] = [
  fields('a blank before the colon', 'X : y', refused(400)),
  fields('a tab before the colon', 'X\t: y', refused(400)),
  fields('a field without a colon', 'Xy', refused(400)),
  fields('a field without a name', ': y', refused(400)),
  fields('a blank in a field name', 'X Y: z', refused(400)),
  fields('a NUL in a field name', 'X\0: y', refused(400)),
  fields('a letter beyond ASCII in a field name', 'X\xe9: y', refused(400)),
  fields('a delimiter in a field name', 'X(: y', refused(400)),
  fields('a slash in a field name', 'X/Y: z', refused(400)),
  fields('a quoted field name', '"X": y', refused(400)),
  fields('a control byte in a field name', 'X\x01: y', refused(400)),
  fields('a folded field, by a blank', 'X: y\r\n z', refused(400)),
  fields('a folded field, by a tab', 'X: y\r\n\tz', refused(400)),
  fields('a folded field that hides a length', 'X: y\r\n Content-Length: 5', refused(400)),
  { what: 'a first field line with a blank before it', bytes: `GET / HTTP/1.1\r\n ${HOST}\r\n`, outcome: refused(400) },
  { what: 'a folded Host', bytes: 'GET / HTTP/1.1\r\nHost:\r\n shop.test\r\n\r\n', outcome: refused(400) },
  fields('a bare CR in a value', 'X: y\rz', refused(400)),
  fields('a bare CR that hides a length', 'X: y\rContent-Length: 5', refused(400)),
  fields('a bare LF that hides a length', 'X: y\nContent-Length: 5', refused(400)),
  fields('a NUL in a value', 'X: y\0z', refused(400)),
  fields('a control byte in a value', 'X: y\x01z', refused(400)),
  fields('a DEL in a value', 'X: y\x7fz', refused(400)),
  fields('an escape sequence in a value', 'X: \x1b[31m', refused(400)),
  fields('a vertical tab in a value', 'X: y\x0bz', refused(400)),
  fields('a form feed in a value', 'X: y\x0cz', refused(400)),
  fields('bytes beyond ASCII in a value (obs-text, RFC 9110 §5.5)', 'X: \xe9\xff', one()),
  fields('blanks around a value', 'X: \t y \t ', one()),
  fields('an empty value', 'X:', one()),
  fields('a head beyond the limit in one field', `X: ${'y'.repeat(70_000)}`, refused(431)),
  fields('a head beyond the limit in one name', `${'X'.repeat(70_000)}: y`, refused(431)),
  fields('more fields than are allowed', Array.from({ length: 300 }, (_, i) => `X-${i}: y`).join('\r\n'), refused(431)),
];

/** RFC 9110 §8.6, RFC 9112 §6.2 and §6.3. */
const contentLengths: readonly MalformedRequest[] = [
  framed('two different lengths', 'Content-Length: 5\r\nContent-Length: 6', 'hello!', refused(400)),
  framed('two equal lengths', 'Content-Length: 5\r\nContent-Length: 5', 'hello', refused(400)),
  framed('a list of equal lengths', 'Content-Length: 5, 5', 'hello', refused(400)),
  framed('a list of different lengths', 'Content-Length: 5, 6', 'hello!', refused(400)),
  framed('a length with a plus', 'Content-Length: +5', 'hello', refused(400)),
  framed('a negative length', 'Content-Length: -5', 'hello', refused(400)),
  framed('a hexadecimal length', 'Content-Length: 0x5', 'hello', refused(400)),
  framed('a length with an exponent', 'Content-Length: 5e0', 'hello', refused(400)),
  framed('a length with a fraction', 'Content-Length: 5.0', 'hello', refused(400)),
  framed('a length with digits of another script', 'Content-Length: \xd9\xa5', 'hello', refused(400)),
  framed('an empty length', 'Content-Length:', 'hello', refused(400)),
  framed('a length of two numbers', 'Content-Length: 5 5', 'hello', refused(400)),
  framed('a length in words', 'Content-Length: five', 'hello', refused(400)),
  framed('a length in quotes', 'Content-Length: "5"', 'hello', refused(400)),
  framed('a length with a NUL', 'Content-Length: 5\0', 'hello', refused(400)),
  framed('a length with a vertical tab before it', 'Content-Length: \x0b5', 'hello', refused(400)),
  framed('a length with a semicolon', 'Content-Length: 5;', 'hello', refused(400)),
  framed('a length with an underscore', 'Content-Length: 1_0', 'hello', refused(400)),
  framed('a length of 2^63', 'Content-Length: 9223372036854775808', 'hello', refused(400)),
  framed('a length that overflows 64 bits to 5', 'Content-Length: 18446744073709551621', 'hello', refused(400)),
  framed('a length of thirty digits', `Content-Length: ${'9'.repeat(30)}`, 'hello', refused(400)),
  framed('a length with a blank before the colon', 'Content-Length : 5', 'hello', refused(400)),
  framed('a length on a folded line', 'Content-Length:\r\n 5', 'hello', refused(400)),
  framed('a length with blanks around it', 'Content-Length: \t5 ', 'hello', one({ method: 'POST', body: 'hello' })),
  framed('a length in another case', 'cOnTeNt-LeNgTh: 5', 'hello', one({ method: 'POST', body: 'hello' })),
  framed(
    'a length of zero and bytes that are no request',
    'Content-Length: 0',
    'hello\r\n\r\n',
    one({ method: 'POST', body: '' }),
  ),
  framed('no length and bytes that are no request', 'X: y', 'hello\r\n\r\n', one({ method: 'POST', body: '' })),
  framed(
    'a length that more follows than it says',
    'Content-Length: 5',
    'hello, world\r\n\r\n',
    one({ method: 'POST', body: 'hello' }),
  ),
  framed('a length that the body does not reach', 'Content-Length: 50', 'hello', { unfinished: true }),
  {
    what: 'a GET with a body',
    bytes: `GET / HTTP/1.1\r\n${HOST}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    outcome: one({ method: 'GET', body: SMUGGLED }),
  },
  {
    what: 'a HEAD with a body',
    bytes: `HEAD / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
    outcome: one({ method: 'HEAD', body: 'hello' }),
  },
  {
    what: 'a DELETE with a chunked body',
    bytes: `DELETE / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    outcome: one({ method: 'DELETE', body: 'hello' }),
  },
];

/** RFC 9112 §6.1 and §6.3; the classes of "HTTP desync attacks" (Kettle, 2019 and later). */
const transferCodings: readonly MalformedRequest[] = [
  framed('a length, then chunked', 'Content-Length: 6\r\nTransfer-Encoding: chunked', '0\r\n\r\nG', refused(400)),
  framed('chunked, then a length', 'Transfer-Encoding: chunked\r\nContent-Length: 6', '0\r\n\r\nG', refused(400)),
  framed(
    'chunked and a length of zero',
    'Transfer-Encoding: chunked\r\nContent-Length: 0',
    CHUNKED_SMUGGLE,
    refused(400),
  ),
  framed(
    'a length that covers a smuggled request, and chunked',
    `Content-Length: ${CHUNKED_SMUGGLE.length}\r\nTransfer-Encoding: chunked`,
    CHUNKED_SMUGGLE,
    refused(400),
  ),
  framed('chunked twice in one field', 'Transfer-Encoding: chunked, chunked', '0\r\n\r\n', refused(400, 501)),
  framed(
    'chunked in two fields',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
    '0\r\n\r\n',
    refused(400, 501),
  ),
  framed('chunked, then cow', 'Transfer-Encoding: chunked\r\nTransfer-encoding: cow', '0\r\n\r\n', refused(400, 501)),
  framed('cow, then chunked', 'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked', '0\r\n\r\n', refused(400, 501)),
  framed('chunked, then identity', 'Transfer-Encoding: chunked, identity', '0\r\n\r\n', refused(400, 501)),
  framed('identity, then chunked', 'Transfer-Encoding: identity, chunked', '0\r\n\r\n', refused(400, 501)),
  framed('identity alone', 'Transfer-Encoding: identity', SMUGGLED, refused(400, 501)),
  framed('identity and a length', 'Transfer-Encoding: identity\r\nContent-Length: 5', 'hello', refused(400, 501)),
  framed('gzip alone', 'Transfer-Encoding: gzip', 'hello', refused(400, 501)),
  framed('gzip, chunked', 'Transfer-Encoding: gzip, chunked', '0\r\n\r\n', refused(400, 501)),
  framed('xchunked', 'Transfer-Encoding: xchunked', '0\r\n\r\n', refused(400, 501)),
  framed('chunkedx', 'Transfer-Encoding: chunkedx', '0\r\n\r\n', refused(400, 501)),
  framed('xchunked and a length', 'Transfer-Encoding: xchunked\r\nContent-Length: 5', '0\r\n\r\n', refused(400, 501)),
  framed('chunk', 'Transfer-Encoding: chunk', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a comma after it', 'Transfer-Encoding: chunked,', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a comma before it', 'Transfer-Encoding: , chunked', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a parameter', 'Transfer-Encoding: chunked;q=1', '0\r\n\r\n', refused(400, 501)),
  framed('chunked in quotes', 'Transfer-Encoding: "chunked"', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a vertical tab before it', 'Transfer-Encoding: \x0bchunked', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a vertical tab after it', 'Transfer-Encoding: chunked\x0b', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a no-break space after it', 'Transfer-Encoding: chunked\xa0', '0\r\n\r\n', refused(400, 501)),
  framed('chunked with a NUL after it', 'Transfer-Encoding: chunked\0', '0\r\n\r\n', refused(400)),
  // Legal (RFC 9110 §5.5), and refused all the same: parsers have read it in two ways.
  framed('chunked with a tab after it', 'Transfer-Encoding: chunked\t', '0\r\n\r\n', refused(400, 501)),
  framed('chunked in another case', 'tRANSFER-eNCODING: CHUNKED', '5\r\nhello\r\n0\r\n\r\n', one({ body: 'hello' })),
  framed('an empty coding', 'Transfer-Encoding:', '0\r\n\r\n', refused(400, 501)),
  framed('an empty coding and a length', 'Transfer-Encoding:\r\nContent-Length: 5', 'hello', refused(400, 501)),
  framed('a blank before the colon of the coding', 'Transfer-Encoding : chunked', '0\r\n\r\n', refused(400)),
  framed('a blank before the name of the coding', 'X: y\r\n Transfer-Encoding: chunked', '0\r\n\r\n', refused(400)),
  framed('a folded coding', 'Transfer-Encoding:\r\n chunked', '0\r\n\r\n', refused(400)),
  framed('a coding after a bare CR', 'X: y\rTransfer-Encoding: chunked', '0\r\n\r\n', refused(400)),
  framed('a coding after a bare LF', 'X: y\nTransfer-Encoding: chunked', '0\r\n\r\n', refused(400)),
  framed('a coding after a control byte', 'Transfer-Encoding: \x01chunked', '0\r\n\r\n', refused(400, 501)),
  framed('a coding with a NUL in its name', 'Transfer\0-Encoding: chunked', '0\r\n\r\n', refused(400)),
  framed(
    'a coding with an underscore in its name, and a length',
    'Transfer_Encoding: chunked\r\nContent-Length: 5',
    'hello',
    one({ body: 'hello' }),
  ),
  framed(
    'a length with an underscore in its name, and chunked',
    'Content_Length: 3\r\nTransfer-Encoding: chunked',
    '5\r\nhello\r\n0\r\n\r\n',
    one({ body: 'hello' }),
  ),
  {
    what: 'chunked in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    outcome: refused(400),
  },
  {
    what: 'chunked and a length in HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    outcome: refused(400),
  },
];

/** RFC 9112 §7.1; TERM.EXT, EXT.TERM, TERM.SPILL and ONE.TWO of "Funky chunks" (2025). */
const chunkedBodies: readonly MalformedRequest[] = [
  chunks('a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a negative size', '-5\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size with a plus', '+5\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('an empty size', '\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size that is none', 'G\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size with an underscore', '1_0\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size of 17 digits', 'FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size that overflows 64 bits to 5', '10000000000000005\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size that ends with a bare LF', '5\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size that ends with a bare CR', '5\rhello\r\n0\r\n\r\n', refused(400)),
  chunks('a size that ends with CR CR LF', '5\r\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('data that is longer than its size', '5\r\nhello!\r\n0\r\n\r\n', refused(400)),
  chunks('data that is shorter than its size', '6\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('data that ends with a bare LF', '5\r\nhello\n0\r\n\r\n', refused(400)),
  chunks('data that ends with a bare CR', '5\r\nhello\r0\r\n\r\n', refused(400)),
  chunks('data that ends with two other bytes', '5\r\nhelloXX0\r\n\r\n', refused(400)),
  chunks('an extension that ends with a bare LF (TERM.EXT)', '5;\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('an extension that ends with a bare CR', '5;a\rhello\r\n0\r\n\r\n', refused(400)),
  chunks('a bare LF in an extension value (EXT.TERM)', '5;a="\n"\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('a NUL in an extension', '5;a=\0\r\nhello\r\n0\r\n\r\n', refused(400)),
  chunks('an extension without end', `5;${'a'.repeat(70_000)}\r\nhello\r\n0\r\n\r\n`, refused(400, 413, 431)),
  chunks('an extension', '5;a=b;c="d"\r\nhello\r\n0\r\n\r\n', one({ body: 'hello' })),
  chunks('a size with leading zeros', '005\r\nhello\r\n0\r\n\r\n', one({ body: 'hello' })),
  chunks('a last chunk of several zeros', '5\r\nhello\r\n000\r\n\r\n', one({ body: 'hello' })),
  chunks('a folded trailer', '0\r\nX: y\r\n z\r\n\r\n', refused(400)),
  chunks('a NUL in a trailer', '0\r\nX: y\0\r\n\r\n', refused(400)),
  chunks('a trailer that ends with a bare LF', '0\r\nX: y\n\r\n', refused(400)),
  chunks('a trailer with a blank before its colon', '0\r\nX : y\r\n\r\n', refused(400)),
  chunks('a trailer without a colon', '0\r\nXy\r\n\r\n', refused(400)),
  chunks('trailers beyond the limit', `0\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`, refused(400, 413, 431)),
  chunks('a length as a trailer', '5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n', refused(400)),
  chunks('a coding as a trailer', '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n', refused(400)),
  chunks('a Host as a trailer', '5\r\nhello\r\n0\r\nHost: evil.test\r\n\r\n', one({ body: 'hello' })),
  chunks('no end', '5\r\nhello\r\n', { unfinished: true }),
  chunks('no end of its trailer section', '5\r\nhello\r\n0\r\nX: y\r\n', { unfinished: true }),
  chunks('no empty line after the last chunk, and another request', `0\r\n${SMUGGLED}`, refused(400)),
];

/** RFC 9112 §3.2, RFC 9110 §7.2. */
const hosts: readonly MalformedRequest[] = [
  host('that is missing', 'X: y\r\n', refused(400)),
  host('twice, the same', `${HOST}${HOST}`, refused(400)),
  host('twice, different', `${HOST}Host: evil.test\r\n`, refused(400)),
  host('twice, in different cases', `${HOST}hOST: evil.test\r\n`, refused(400)),
  host('that is empty', 'Host:\r\n', refused(400)),
  host('with a blank', 'Host: shop.test evil.test\r\n', refused(400)),
  host('with a path', 'Host: shop.test/a\r\n', refused(400)),
  host('with a user', 'Host: evil@shop.test\r\n', refused(400)),
  host('with a query', 'Host: shop.test?a\r\n', refused(400)),
  host('with a fragment', 'Host: shop.test#a\r\n', refused(400)),
  host('with a scheme', 'Host: http://shop.test\r\n', refused(400)),
  host('with two ports', 'Host: shop.test:80:81\r\n', refused(400)),
  host('with a port in words', 'Host: shop.test:http\r\n', refused(400)),
  host('with a port beyond 65535', 'Host: shop.test:99999\r\n', refused(400)),
  host('with a negative port', 'Host: shop.test:-1\r\n', refused(400)),
  host('whose bracket stays open', 'Host: [::1\r\n', refused(400)),
  host('with a bad IPv6 literal', 'Host: [zz]\r\n', refused(400)),
  host('with a backslash', 'Host: shop.test\\evil\r\n', refused(400)),
  host('that is a list', 'Host: shop.test, evil.test\r\n', refused(400)),
  host('with a NUL', 'Host: shop.test\0\r\n', refused(400)),
  host('with a blank before the colon', 'Host : shop.test\r\n', refused(400)),
  host('with markup', 'Host: <script>\r\n', refused(400)),
  host('in quotes', 'Host: "shop.test"\r\n', refused(400)),
  host('beyond ASCII', 'Host: sh\xf6p.test\r\n', refused(400)),
  host('in other case', 'hOsT: SHOP.test\r\n', one()),
  {
    what: 'two Hosts beside an absolute target',
    bytes: `GET http://shop.test/ HTTP/1.1\r\n${HOST}Host: evil.test\r\n\r\n`,
    outcome: refused(400),
  },
  {
    what: 'a bad Host beside an absolute target',
    bytes: 'GET http://shop.test/ HTTP/1.1\r\nHost: a b\r\n\r\n',
    outcome: refused(400),
  },
  { what: 'no Host beside an absolute target', bytes: 'GET http://shop.test/ HTTP/1.1\r\n\r\n', outcome: refused(400) },
];

/** RFC 9110 §7.6.1 and §7.8, §10.1.1: a client can't make the gateway drop or add what frames a message. */
const connectionFields: readonly MalformedRequest[] = [
  framed(
    'a length named in Connection',
    'Connection: Content-Length\r\nContent-Length: 5',
    'hello',
    one({ body: 'hello' }),
  ),
  framed(
    'a coding named in Connection',
    'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
    '5\r\nhello\r\n0\r\n\r\n',
    one({ body: 'hello' }),
  ),
  fields('a Host named in Connection', 'Connection: Host', one()),
  fields('a Connection that is full of commas', 'Connection: ,,close,,', one()),
  fields(
    'an upgrade to HTTP/2',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
    one(),
  ),
  fields('an upgrade to TLS', 'Connection: Upgrade\r\nUpgrade: TLS/1.0', one()),
  fields('an expectation that nobody can meet', 'Expect: 200-ok', refused(417)),
  fields('two expectations', 'Expect: 100-continue\r\nExpect: 200-ok', refused(400, 417)),
  framed('TE with chunked', 'TE: chunked\r\nContent-Length: 5', 'hello', one({ body: 'hello' })),
  framed(
    'an upgrade to WebSocket with a body',
    `Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${SMUGGLED.length}`,
    SMUGGLED,
    one({ body: SMUGGLED }),
  ),
];

/** By chapter. */
export const malformedRequests: Readonly<Record<string, readonly MalformedRequest[]>> = {
  'request lines': requestLines,
  'line ends': lineEnds,
  'field lines': fieldLines,
  lengths: contentLengths,
  'transfer codings': transferCodings,
  'chunked bodies': chunkedBodies,
  hosts,
  'connection fields': connectionFields,
};
