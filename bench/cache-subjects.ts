import type { CacheRequest } from '../src/cache/key.ts';
import type { CachePolicy } from '../src/cache/policy.ts';
import type { HeaderList } from '../src/http/headers.ts';

export const policy: CachePolicy = {
  scope: '',
  key: null,
  defaultTtl: null,
  overrideTtl: null,
  ignore: null,
  ignoreClientNoCache: false,
  setCookie: 'refuse',
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  earlyHints: false,
  wholeRanges: false,
  tags: { fields: [], pass: false },
  targets: ['cdn-cache-control'],
  collapse: null,
  objectBytes: 2 ** 26,
};

const browser: HeaderList = [
  ...['Host', 'shop.example', 'Connection', 'keep-alive', 'sec-ch-ua-mobile', '?0', 'Upgrade-Insecure-Requests', '1'],
  ...[
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  ],
  ...['Accept', 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'Sec-Fetch-Mode', 'navigate'],
  ...['Accept-Encoding', 'gzip, deflate, br, zstd', 'Cookie', 'session=0123456789abcdef0123456789abcdef'],
];

/** A request for the `page`th of many, with a target of its own, as a parser makes it: 128 characters of URL, never hashed before. */
export function requestFor(page: number, language: string | null = null): CacheRequest {
  const name = (Math.imul(page, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0');
  const target = `/catalogue/${name}/products/${page}/overview-of-the-product-and-its-variants/in-all-colours/index.html`;
  const path = copied(target);
  const headers = language === null ? browser : [...browser, 'Accept-Language', copied(language)];
  const uri = { scheme: 'https', host: 'shop.example', path, query: null };
  return { method: 'GET', ...uri, keyQuery: null, headers, partition: 'shop' };
}

/** Strings of its own for each response. */
export function originFields(page: number, extra: number): string[] {
  const now = new Date().toUTCString();
  const fields = [
    ...['Server', 'nginx', 'Date', now, 'Content-Type', 'text/html; charset=utf-8', 'X-Frame-Options', 'DENY'],
    ...['ETag', `"${page}-0123456789abcdef"`, 'Cache-Control', 'public, max-age=3600'],
    ...['Last-Modified', now, 'Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  ];
  for (let i = 0; i < extra; i += 1) fields.push(`X-Extra-Field-${i}`, `value ${i} of page ${page}`);
  return fields;
}

function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
