import type { RequestHead } from '../../src/exchange/exchange.ts';

/** So many targets, each of about the length that targets have. */
const TARGETS = 256;

const FIELDS = [
  ...['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
  ...['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'Accept-Language', 'en-GB,en;q=0.5'],
  ...['Accept-Encoding', 'gzip, deflate, br, zstd', 'Connection', 'keep-alive'],
  ...['Cookie', 'session=0123456789abcdef0123456789abcdef; theme=dark'],
];

const heads = Array.from({ length: TARGETS }, (_, index) => {
  const target = `/items/${(Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}/overview?page=${index}`;
  const lines = [`GET ${target} HTTP/1.1`, 'Host: shop.test'];
  for (let i = 0; i < FIELDS.length; i += 2) lines.push(`${FIELDS[i]}: ${FIELDS[i + 1]}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
});

/** The head of a browser's request, 8 fields in 400 bytes; `index` says for which of 256 targets. */
export function headBytes(index: number): Buffer {
  return heads[index % TARGETS] as Buffer;
}

/** The same as a downstream makes it out of the bytes: strings that are slices of one, none of them ever hashed. */
export function freshRequest(index: number): RequestHead {
  const text = headBytes(index).toString('latin1');
  const [start = '', ...lines] = text.slice(0, -4).split('\r\n');
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  const target = start.slice(4, -9);
  return { method: 'GET', target, authority: headers[1] as string, scheme: 'http', version: '1.1', headers };
}

const answer = Buffer.from(
  [
    ...['HTTP/1.1 200 OK', 'Server: nginx/1.22.1', 'Date: Sat, 21 Nov 2026 12:00:00 GMT', 'Content-Type: text/html'],
    ...['Content-Length: 1024', 'Last-Modified: Sat, 21 Nov 2026 11:00:00 GMT', 'Connection: keep-alive'],
    ...['ETag: "65a1b2c3-400"', 'Cache-Control: max-age=600', 'Accept-Ranges: bytes', '', 'x'.repeat(1024)],
  ].join('\r\n'),
  'latin1',
);

/** An endpoint's response as it comes from a socket: 9 fields and 1 KiB. */
export function answerBytes(): Buffer {
  return answer;
}
