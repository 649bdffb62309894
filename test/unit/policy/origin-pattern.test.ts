import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileOrigins, isOrigin, type OriginPattern } from '../../../src/policy/origin-pattern.ts';
import { problemsOf, working } from './exchange-facts.ts';

function allows(pattern: OriginPattern, origin: string): boolean {
  return working(compileOrigins([pattern]))(origin);
}

describe('an exact origin', () => {
  test.each(['https://shop.example', 'https://shop.example:443', 'HTTPS://Shop.Example'])(
    'written %s is https://shop.example',
    (pattern) => {
      expect(allows(pattern, 'https://shop.example')).toBe(true);
    },
  );

  test.each([
    'http://shop.example',
    'https://shop.example:8443',
    'https://shop.example:443',
    'https://shop.example/',
    'https://shop.example.',
    'https://shop.example.evil.test',
    'https://evilshop.example',
    'https://a.shop.example',
    'https://shop.example@evil.test',
    'HTTPS://SHOP.EXAMPLE',
    ' https://shop.example',
    'https://shop.example\n',
    'https://shop.example, https://shop.example',
    'null',
    '',
    '*',
  ])('is not %j', (origin) => {
    expect(allows('https://shop.example', origin)).toBe(false);
  });

  test.each([
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    ['https://192.0.2.7', 'https://192.0.2.7'],
    ['chrome-extension://abcdefghijklmnop', 'chrome-extension://abcdefghijklmnop'],
    ['capacitor://localhost', 'capacitor://localhost'],
  ])('%s is %s', (pattern, origin) => {
    expect(allows(pattern, origin)).toBe(true);
  });
});

describe('https://*.shop.example', () => {
  test.each(['https://a.shop.example', 'https://a.b.shop.example', 'https://x-1.shop.example'])(
    'covers %s: one label or more',
    (origin) => {
      expect(allows('https://*.shop.example', origin)).toBe(true);
    },
  );

  test.each([
    'https://shop.example',
    'https://.shop.example',
    'https://a..shop.example',
    'https://evil-shop.example',
    'https://a.shop.example.evil.test',
    'https://evil.test/.shop.example',
    'https://evil.test?.shop.example',
    'https://evil.test#.shop.example',
    'https://evil.test\\.shop.example',
    'https://evil.test:1.shop.example',
    'https://user@a.shop.example',
    'https://a%2eshop.example',
    'https://*.shop.example',
    'http://a.shop.example',
    'https://a.shop.example:8443',
    'https://a.shop.example:',
    'https://A.shop.example',
    'https://ä.shop.example',
    'https://a.shop.example\0',
    'null',
  ])('does not cover %j', (origin) => {
    expect(allows('https://*.shop.example', origin)).toBe(false);
  });

  test('with a port covers that port alone, with :* every port', () => {
    expect(allows('https://*.shop.example:8443', 'https://a.shop.example:8443')).toBe(true);
    expect(allows('https://*.shop.example:8443', 'https://a.shop.example')).toBe(false);
    expect(allows('https://*.shop.example:8443', 'https://a.shop.example:18443')).toBe(false);
    expect(allows('http://localhost:*', 'http://localhost')).toBe(true);
    expect(allows('http://localhost:*', 'http://localhost:5173')).toBe(true);
    expect(allows('http://localhost:*', 'http://localhost.evil.test:5173')).toBe(false);
    expect(allows('http://[::1]:*', 'http://[::1]:5173')).toBe(true);
  });
});

describe('a regex', () => {
  test.each([
    ['https://pr-[0-9]+\\.shop\\.example', 'https://pr-12.shop.example', true],
    ['https://pr-[0-9]+\\.shop\\.example', 'https://pr-12.shop.example.evil.test', false],
    ['https://pr-[0-9]+\\.shop\\.example', 'xhttps://pr-12.shop.example', false],
    // The dot that was forgotten to be escaped can't reach beyond the host.
    ['https://.*.shop.example', 'https://evil.test/.shop.example', false],
    ['https://a\\.test|https://b\\.test', 'https://b.test', true],
    ['https://a\\.test|https://b\\.test', 'https://a.test.evil.test', false],
    ['(?i)https://a\\.test', 'https://a.test', true],
    ['.*', 'null', false],
    ['.*', '', false],
    ['.*', 'https://anything.test:1', true],
  ])('%s on %j: %s', (regex, origin, expected) => {
    expect(allows({ regex }, origin)).toBe(expected);
  });
});

describe('what is no origin is refused where it is written', () => {
  test.each([
    ['*', '“*” stands for every origin, and stands alone: origins: "*"'],
    ['null', '“null” is the origin of every sandboxed frame, whoever wrote it: it can’t be allowed'],
    ['shop.example', '“shop.example” is no origin: a scheme is missing, as in https://shop.example'],
    [
      'https://shop.example/',
      '“https://shop.example/” is no origin: it ends after host and port, without a path or “/”',
    ],
    ['https://bücher.example', '“https://bücher.example” is no origin: browsers send the name in ASCII (xn--…)'],
    ['https://a.*.example', expect.stringContaining('is no origin: write ')],
    ['https://*shop.example', expect.stringContaining('is no origin: write ')],
    ['*://shop.example', expect.stringContaining('is no origin: write ')],
    ['https://*', expect.stringContaining('is no origin: write ')],
    ['https://*.192.0.2.7', '“https://*.192.0.2.7”: nothing is below an address'],
    ['https://shop.example:99999', '“https://shop.example:99999”: a port is 65535 at most'],
  ])('%s', (pattern, message) => {
    const result = compileOrigins(['https://good.test', pattern]);
    expect(result).toMatchObject({ ok: false, path: [1], message });
  });

  test.each(['(', 'a)|(b', '\\Qa', '(?=a)'])('the regex %s', (regex) => {
    expect(problemsOf(compileOrigins([{ regex }]))).toEqual([
      expect.stringMatching(/^0\.regex: not a regular expression that RE2 knows: /),
    ]);
  });
});

/** What a browser makes of it: the origin of a URL, serialised, is the text itself. */
function byUrl(text: string): URL | null {
  const url = URL.parse(text);
  return url !== null && url.origin === text ? url : null;
}

/** By labels of the parsed host. */
function isBelow(text: string, scheme: string, domain: readonly string[]): boolean {
  const url = byUrl(text);
  if (url === null || url.protocol !== scheme || url.port !== '') return false;
  const labels = url.hostname.split('.');
  const own = labels.slice(0, -domain.length);
  if (labels.slice(-domain.length).join() !== domain.join() || own.length === 0) return false;
  return own.every((label) => /^[a-z0-9_-]+$/.test(label));
}

const piece = fc.constantFrom(
  ...['https://', 'http://', '//', '.', 'shop', 'example', 'evil', 'test', 'a', '-', ':', '443', '8443', '/', '@', '#'],
  ...['?', '\\', '%2e', '[::1]', ' ', '\t', '\0', 'ä', '.shop.example', 'shop.example', '.evil.test', 'null', '*', ','],
);
const hostile = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const nearby = hostile.map((text) => `https://${text}`);
const ending = hostile.map((text) => `https://${text}.shop.example`);

test('whatever is sent, a pattern covers what a URL parser says is below its domain, and no more', () => {
  const wild = working(compileOrigins(['https://*.shop.example']));
  const exact = working(compileOrigins(['https://shop.example']));
  const whole = working(compileOrigins([{ regex: 'https://([a-z]+\\.)+shop\\.example' }]));
  fc.assert(
    fc.property(fc.oneof(hostile, nearby, ending), (origin) => {
      expect(wild(origin)).toBe(isBelow(origin, 'https:', ['shop', 'example']));
      expect(exact(origin)).toBe(byUrl(origin)?.href === 'https://shop.example/');
      if (whole(origin)) expect(isBelow(origin, 'https:', ['shop', 'example'])).toBe(true);
    }),
    { seed: 7, numRuns: 3_000 },
  );
});

test('sixteen KiB of anything is no origin, whatever the pattern', () => {
  const any = working(compileOrigins([{ regex: '.*' }, 'https://*.shop.example']));
  for (const unit of ['a', 'a.', '.', '-.', ':', '1:', '/']) {
    const long = `https://${unit.repeat(16_384)}.shop.example`;
    expect([unit, any(long), isOrigin(long)]).toEqual([unit, false, false]);
  }
});
