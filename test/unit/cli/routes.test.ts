import { describe, expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { listRoutes, type RoutesOptions } from '../../../src/cli/routes.ts';
import { configFromObject, loadConfigText } from '../../../src/config/load.ts';

function compiled() {
  const loaded = configFromObject({
    listeners: {
      https: { port: 443, tls: {}, passthrough: [{ sni: ['bank.example', '*.bank.example'], pool: 'bank' }] },
      db: { port: 5432, kind: 'tcp', pool: 'bank' },
      edge: { port: 444, kind: 'tcp', pool: 'shop', passthrough: [{ sni: 'a.example', pool: 'bank' }] },
    },
    pools: { bank: { endpoints: ['127.0.0.1:1'] }, shop: { endpoints: ['127.0.0.1:2'] } },
    routes: [
      { name: 'shop', pool: 'shop' },
      { name: 'old', match: { host: '*.old.example' }, redirect: { to: 'https://shop.example/' } },
      { name: 'ping', listeners: 'https', match: { host: 'shop.example', path: '/ping' }, respond: { status: 204 } },
      {
        name: 'beta',
        match: { path: '/beta/**', headers: { beta: 'on' } },
        split: [
          { pool: 'shop', weight: 9 },
          { pool: 'bank', weight: 1 },
        ],
      },
    ],
  });
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const result = compileOnly(loaded);
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return { config: loaded.config, origins: loaded.origins, ...result };
}

const ALL: RoutesOptions = { json: false, listener: null, pool: null, host: null };

function list(options: Partial<RoutesOptions> = {}): string[] {
  const { config, origins, routes } = compiled();
  const text = listRoutes({ config, origins, rules: routes }, { ...ALL, ...options });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' | '));
}

describe('headgate routes', () => {
  test('lists what is forwarded as it is, then the routes in the order they are tried', () => {
    expect(list()).toEqual(
      [
        'ROUTE | LISTENER | MATCH | LEADS TO | WHERE',
        ' | https | sni bank.example, *.bank.example | pool bank, as it is',
        ' | db | every connection | pool bank, as it is',
        ' | edge | sni a.example | pool bank, as it is',
        ' | edge | every other connection | pool shop, as it is',
        'ping | https | shop.example /ping | respond 204 | <inline>:36',
        'old | every | *.old.example /** | redirect https://shop.example/ | <inline>:31',
        'beta | every | /beta/** + header beta | split shop 9, bank 1 | <inline>:43',
        'shop | every | /** | pool shop | <inline>:29',
      ].map((line) => line.replace(/^ \|/, ' |')),
    );
  });

  test('leaves out what a filter does not ask for', () => {
    const names = (options: Partial<RoutesOptions>) =>
      list(options)
        .map((line) => line.split(' | ')[0])
        .slice(1);
    expect(names({ host: 'shop.example' })).toEqual(['', '', 'ping', 'beta', 'shop']);
    expect(names({ host: 'x.old.example', listener: 'https' })).toEqual(['old', 'beta', 'shop']);
    expect(names({ listener: 'db' })).toEqual(['', 'old', 'beta', 'shop']);
    expect(names({ pool: 'bank', listener: 'https' })).toEqual(['', 'beta']);
    expect(() => list({ pool: 'shpo' })).toThrow(
      expect.objectContaining({ message: 'pool “shpo” does not exist', hint: 'Did you mean “shop”?' }),
    );
  });

  test('--json has both, with places and pools', () => {
    const { config, origins, routes } = compiled();
    const listed = JSON.parse(listRoutes({ config, origins, rules: routes }, { ...ALL, json: true })) as Record<
      string,
      unknown[]
    >;
    expect(listed['streams']?.[1]).toEqual({ listener: 'db', match: 'every connection', pool: 'bank', names: null });
    expect(listed['routes']?.[2]).toEqual({
      ...{ name: 'beta', listeners: null, match: '/beta/** + header beta', leads: 'split shop 9, bank 1' },
      ...{ pools: ['shop', 'bank'], at: '<inline>:43', file: '<inline>', line: 43 },
    });
  });

  test('what a variable fills in is shown as the variable', () => {
    const yaml = `
listeners: { web: { port: 80 } }
routes: [{ name: hook, match: { path: '/hook/\${KEY}' }, redirect: { to: 'https://a.test/\${KEY}' } }]
`;
    const text = { path: 'g.yaml', files: new Map([['g.yaml', yaml]]), included: new Map() };
    const loaded = loadConfigText(text, { KEY: 'sesame' });
    const result = loaded.ok ? compileOnly(loaded) : loaded;
    if (!loaded.ok || !result.ok) throw new Error('It should be sound');
    const listed = listRoutes({ ...loaded, rules: result.routes }, ALL);
    expect(listed).toContain('/hook/${KEY}');
    expect(listed).not.toContain('sesame');
  });
});
