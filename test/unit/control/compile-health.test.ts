import { describe, expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';

type Health = NonNullable<NonNullable<ConfigInput['pools']>[string]['health']>;

/** What `headgate check` says of a pool that is checked so. */
function complaints(health: Health): string[] {
  const loaded = configFromObject({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['10.0.0.1:3000'], health } },
    routes: [{ pool: 'shop' }],
  });
  return mistakesIn(loaded).map(({ message }) => message);
}

describe('a health check', () => {
  test.each<[string, Health]>([
    ['with the defaults', {}],
    ['of the body', { body: { regex: '^ok$' }, expect: [200, '300-399'] }],
    ['with header fields', { headers: { Authorization: 'Bearer x', 'User-Agent': 'me' } }],
    ['by HEAD', { method: 'HEAD' }],
    ['by gRPC', { type: 'grpc', service: 'shop', headers: { authorization: 'x' } }],
  ])('%s is fine', (_, health) => {
    expect(complaints(health)).toEqual([]);
  });

  test('says everything that is wrong with it at once', () => {
    const health: Health = {
      method: 'HEAD',
      expect: ['500-400'],
      body: { regex: '(' },
      headers: { Host: 'a.test', TE: 'trailers', 'X-Fine': '1' },
    };
    expect(complaints(health)).toEqual([
      'Cannot expect statuses "500-400": give low-high, like 200-299',
      'the answer to HEAD has no body: check with GET',
      expect.stringMatching(/^"\(" is not a regular expression \(RE2\): missing closing \)/),
      'Host has a key of its own beside “headers”: “host”',
      'TE belongs to the connection or frames the message',
    ]);
  });

  test('by gRPC has no content type of its own', () => {
    expect(complaints({ type: 'grpc', headers: { 'Content-Type': 'text/plain' } })).toEqual([
      'a call of gRPC says itself what it is',
    ]);
  });

  test.each<[Health, string]>([
    [{ headers: { 'X-A': 'a\r\nb' } }, 'header field value'],
    [{ headers: { 'X A': 'b' } }, 'header field name'],
    [{ jitter: '200%' }, 'is not a share'],
  ])('%j is refused', (health, why) => {
    expect(complaints(health).join('\n')).toContain(why);
  });
});
