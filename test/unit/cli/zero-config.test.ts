import { describe, expect, test } from 'vitest';
import { zeroConfig } from '../../../src/cli/zero-config.ts';
import { configFromObject } from '../../../src/config/load.ts';

/** What the routes come to, once the configuration is loaded: it has to be valid. */
function routes(...mappings: string[]) {
  const result = configFromObject(zeroConfig(mappings));
  expect(result.ok ? [] : result.diagnostics).toEqual([]);
  if (!result.ok) throw new Error('refused');
  return result.config.routes.map(({ name, match, pool, rewrite }) => ({
    name,
    host: match.host?.join() ?? null,
    path: match.path?.value,
    pool: result.config.pools[pool ?? '']?.endpoints
      .map(({ address }) => ('host' in address ? `${address.host}:${address.port}` : address.socketPath))
      .join(),
    rewrite: rewrite ?? null,
  }));
}

test('without a file: HTTPS on localhost, HTTP that redirects to it, a pool and a route for each argument', () => {
  expect(zeroConfig(['/api=3000', '/=5173,5174'])).toEqual({
    listeners: {
      https: { address: '127.0.0.1', port: 8443, tls: {}, profile: 'development' },
      http: { address: '127.0.0.1', port: 8080, redirectTo: 'https' },
    },
    admin: { port: 4600 },
    pools: {
      api: { endpoints: ['localhost:3000'] },
      root: { endpoints: ['localhost:5173', 'localhost:5174'] },
    },
    routes: [
      { name: 'api', match: { path: { prefix: '/api' } }, pool: 'api' },
      { name: 'root', match: { path: { prefix: '/' } }, pool: 'root' },
    ],
  });
});

test('ports and address can be chosen', () => {
  const config = zeroConfig(['/=1'], { listen: '0.0.0.0', port: 443, httpPort: 80, adminPort: 0 });
  expect(config.listeners).toMatchObject({
    https: { address: '0.0.0.0', port: 443 },
    http: { address: '0.0.0.0', port: 80 },
  });
  expect(config.admin).toEqual({ port: 0 });
});

describe('the path that the target sees', () => {
  test.each([
    ['/api=3000', null],
    ['/api/=3000', { stripPrefix: '/api' }],
    ['/=3000', null],
    ['/api=https://api.example.com', null],
    ['/api/=https://api.example.com', { stripPrefix: '/api' }],
    ['/api=https://api.example.com/v2', { prefix: '/v2/api' }],
    ['/api/=https://api.example.com/v2', { prefix: '/v2' }],
    ['/=https://api.example.com/v2', { prefix: '/v2' }],
    ['/=http://localhost:3000/app', { prefix: '/app' }],
  ])('%s', (mapping, rewrite) => {
    expect(routes(mapping)[0]?.rewrite).toEqual(rewrite);
  });
});

test('a site is asked by its own name, and its cookies become ours; a local service sees the name that was asked for', () => {
  const config = zeroConfig(['/a=https://api.example.com', '/b=3000']);
  expect(config.pools).toEqual({
    a: { endpoints: ['https://api.example.com'], host: 'endpoint' },
    b: { endpoints: ['localhost:3000'] },
  });
  expect(config.routes?.[0]).toMatchObject({ cookies: { domain: false } });
  expect(config.routes?.[1]).not.toHaveProperty('cookies');
});

test('hosts have routes of their own', () => {
  const mappings = ['app.localhost=3000', 'app.localhost/api=4000', '*.x.localhost=5000', '/=6000'];
  expect(routes(...mappings)).toEqual([
    { name: 'app.localhost', host: 'app.localhost', path: '/', pool: 'localhost:3000', rewrite: null },
    { name: 'app.localhost-api', host: 'app.localhost', path: '/api', pool: 'localhost:4000', rewrite: null },
    { name: 'any.x.localhost', host: '*.x.localhost', path: '/', pool: 'localhost:5000', rewrite: null },
    { name: 'root', host: null, path: '/', pool: 'localhost:6000', rewrite: null },
  ]);
});

test('names are valid and different, whatever the paths are', () => {
  const names = routes('/a/b=1', '/a-b=2', '/a%20b=3', '/_x=4', '/~=5', `/${'long'.repeat(40)}=6`).map(
    ({ name }) => name,
  );
  expect(names).toEqual(['a-b', 'a-b-2', 'a-20b', 'x', 'root', 'long'.repeat(14)]);
});

test.each([
  ['/api=3000', '/api=4000', 'To balance between targets, list them: /api=3000,4000'],
  ['/api=3000', '/api/=4000', 'To balance between targets, list them: /api=3000,4000'],
  ['A.test=3000', 'a.test/=4000', 'To balance between targets, list them: A.test=3000,4000'],
])('%s and %s are the same route', (first, second, hint) => {
  expect(() => zeroConfig([first, second])).toThrow(
    expect.objectContaining({ message: `“${first}” and “${second}” are the same route`, hint }),
  );
});
