import { expect, test } from 'vitest';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';

function messages(route: NonNullable<ConfigInput['routes']>[number]): readonly string[] {
  const result = configFromObject({
    listeners: { web: { port: 0 } },
    pools: { a: { endpoints: ['h:1'] } },
    routes: [route],
  });
  return result.ok ? [] : result.diagnostics.map((diagnostic) => diagnostic.message);
}

test('what is only for forwarded requests is refused on a route that answers by itself, key by key', () => {
  expect(messages({ respond: {}, rewrite: { stripPrefix: '/a' }, cache: true })).toEqual([
    'rewrite is for what is forwarded, and this route answers with respond',
    'cache is for what is forwarded, and this route answers with respond',
  ]);
  expect(messages({ redirect: { to: '/' }, timeouts: { head: '1s' } })).toEqual([
    'timeouts is for what is forwarded, and this route answers with redirect',
  ]);
});

test('response header edits go with every kind of route', () => {
  const responseHeaders = { set: { 'X-Frame-Options': 'DENY' } };
  expect(messages({ respond: {}, responseHeaders })).toEqual([]);
  expect(messages({ redirect: { to: '/' }, responseHeaders })).toEqual([]);
  expect(messages({ pool: 'a', responseHeaders })).toEqual([]);
});
