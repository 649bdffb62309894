import { describe, expect, test } from 'vitest';
import { type CsrfConfig, compileCsrf } from '../../../src/policy/csrf.ts';
import { asking } from './asking.ts';
import { problemsOf, working } from './exchange-facts.ts';
import type { AskedRequest } from './policy-request.ts';

const OWN = 'https://shop.test:8443';
const EVIL = 'https://evil.test';

function verdictOn(request: AskedRequest, config: Partial<CsrfConfig> = {}): string {
  const all = { origins: [], sameSite: false, requireOrigin: false, dryRun: false, ...config };
  const verdict = working(compileCsrf(all)).admit(request);
  if (verdict === null) return 'goes on';
  return verdict.kind === 'refuse' ? `${verdict.error.status} ${verdict.error.reason}` : verdict.kind;
}

function post(headers: readonly string[], method = 'POST'): AskedRequest {
  return asking(headers, { request: { method } });
}

const REFUSED = '403 cross-origin-request';

describe('a request that may change something', () => {
  test.each([
    [['Sec-Fetch-Site', 'same-origin', 'Origin', OWN], 'goes on'],
    [['Sec-Fetch-Site', 'none'], 'goes on'],
    [['Sec-Fetch-Site', 'same-origin', 'Origin', 'null'], 'goes on'],
    [['Sec-Fetch-Site', 'same-site', 'Origin', 'https://other.shop.test'], REFUSED],
    [['Sec-Fetch-Site', 'cross-site', 'Origin', EVIL], REFUSED],
    // What the browser says counts, whatever Host says.
    [['Sec-Fetch-Site', 'cross-site', 'Origin', OWN], REFUSED],
    [['Sec-Fetch-Site', 'cross-site'], REFUSED],
    [['Sec-Fetch-Site', 'same-origin', 'Sec-Fetch-Site', 'cross-site'], REFUSED],
    [['Sec-Fetch-Site', 'SAME-ORIGIN'], REFUSED],
    [['Origin', OWN], 'goes on'],
    [['Origin', 'http://shop.test:8443'], REFUSED],
    [['Origin', 'https://shop.test'], REFUSED],
    [['Origin', 'https://shop.test:8443.evil.test'], REFUSED],
    [['Origin', EVIL], REFUSED],
    [['Origin', 'null'], REFUSED],
    [['Origin', ''], REFUSED],
    [['Origin', OWN, 'Origin', OWN], REFUSED],
    [['Origin', OWN, 'Origin', EVIL], REFUSED],
    [['Origin', 'x'.repeat(16_384)], REFUSED],
    [['Referer', `${OWN}/form?a=b`], 'goes on'],
    [['Referer', OWN], 'goes on'],
    [['Referer', `${EVIL}/${OWN}/`], REFUSED],
    [['Referer', `https://shop.test:8443@evil.test/`], REFUSED],
    [['Referer', 'about:blank'], REFUSED],
    [['Origin', EVIL, 'Referer', `${OWN}/`], REFUSED],
    [[], 'goes on'],
    [['Cookie', 'a=b'], 'goes on'],
  ])('with %j: %s', (headers, expected) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'UNHEARD-OF']) {
      expect([method, verdictOn(post(headers, method))]).toEqual([method, expected]);
    }
  });

  test('of a host of the same site may be allowed', () => {
    expect(verdictOn(post(['Sec-Fetch-Site', 'same-site']), { sameSite: true })).toBe('goes on');
    expect(verdictOn(post(['Sec-Fetch-Site', 'cross-site']), { sameSite: true })).toBe(REFUSED);
  });

  test('of an origin that is listed goes on', () => {
    const origins = ['https://*.app.example'];
    for (const site of [[], ['Sec-Fetch-Site', 'cross-site']]) {
      expect(verdictOn(post(['Origin', 'https://a.app.example', ...site]), { origins })).toBe('goes on');
      expect(verdictOn(post(['Origin', 'https://a.app.example.evil.test', ...site]), { origins })).toBe(REFUSED);
      expect(verdictOn(post(['Origin', OWN, 'Origin', 'https://a.app.example', ...site]), { origins })).toBe(REFUSED);
    }
  });

  test('that says nothing of where it comes from may be refused too', () => {
    expect(verdictOn(post([]), { requireOrigin: true })).toBe(REFUSED);
    expect(verdictOn(post(['Origin', OWN]), { requireOrigin: true })).toBe('goes on');
  });

  test('is only noted in a dry run', () => {
    const request = post(['Origin', EVIL]);
    expect(verdictOn(request, { dryRun: true })).toBe('goes on');
    expect(request.notes).toEqual(['cross-origin-request']);
  });
});

describe('a request that changes nothing', () => {
  test.each(['GET', 'HEAD', 'OPTIONS', 'QUERY'])('%s goes on', (method) => {
    expect(verdictOn(post(['Origin', EVIL, 'Sec-Fetch-Site', 'cross-site'], method))).toBe('goes on');
  });

  test('but begins a WebSocket is looked at, over HTTP/1 and HTTP/2', () => {
    for (const sign of ['Upgrade', 'Sec-WebSocket-Version']) {
      expect(verdictOn(post([sign, 'websocket', 'Origin', EVIL], 'GET'))).toBe(REFUSED);
      expect(verdictOn(post([sign, 'websocket', 'Origin', OWN], 'GET'))).toBe('goes on');
      expect(verdictOn(post([sign, 'websocket'], 'GET'))).toBe('goes on');
    }
  });
});

describe('the origin of its own', () => {
  const behind = (headers: readonly string[], trusted: boolean, forwardedBy: 'x-forwarded-for' | 'forwarded') =>
    asking(headers, {
      request: { method: 'POST', scheme: 'http', authority: '10.0.0.7:8080' },
      client: { trusted, forwardedBy },
    });
  const chain = ['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'Shop.Example', 'Origin', 'https://shop.example'];
  const element = [
    'Forwarded',
    'for=192.0.2.1;proto=https;host="shop.example:444"',
    'Origin',
    'https://shop.example:444',
  ];

  test('is what a trusted proxy says of scheme and host', () => {
    expect(verdictOn(behind(chain, true, 'x-forwarded-for'))).toBe('goes on');
    expect(verdictOn(behind(element, true, 'forwarded'))).toBe('goes on');
  });

  test('is not what anybody else says', () => {
    expect(verdictOn(behind(chain, false, 'x-forwarded-for'))).toBe(REFUSED);
    expect(verdictOn(behind(element, true, 'x-forwarded-for'))).toBe(REFUSED);
  });

  test('has no default port', () => {
    const facts = { request: { method: 'POST', authority: 'shop.example:443' }, client: { trusted: false } } as const;
    expect(verdictOn(asking(['Origin', 'https://shop.example'], facts))).toBe('goes on');
  });

  test('is nobody’s without a host', () => {
    const facts = { request: { method: 'POST', authority: '' }, client: { trusted: false } } as const;
    expect(verdictOn(asking(['Origin', 'https://'], facts))).toBe(REFUSED);
  });
});

test('a mistake in an origin has its place', () => {
  const result = compileCsrf({ origins: ['*'], sameSite: false, requireOrigin: false, dryRun: false });
  expect(problemsOf(result)).toEqual([expect.stringMatching(/^origins\.0: “\*” stands for every origin/)]);
});
