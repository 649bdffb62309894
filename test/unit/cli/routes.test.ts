import { describe, expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { askRoute } from '../../../src/cli/route.ts';
import { listRoutes } from '../../../src/cli/routes.ts';
import { streamRows } from '../../../src/cli/stream-rows.ts';
import { configFromObject } from '../../../src/config/load.ts';

function compiled() {
  const loaded = configFromObject({
    listeners: {
      https: { port: 443, tls: {}, passthrough: [{ sni: ['bank.example', '*.bank.example'], pool: 'bank' }] },
      db: { port: 5432, kind: 'tcp', pool: 'bank' },
      edge: { port: 444, kind: 'tcp', pool: 'shop', passthrough: [{ sni: 'a.example', pool: 'bank' }] },
    },
    pools: { bank: { endpoints: ['127.0.0.1:1'] }, shop: { endpoints: ['127.0.0.1:2'] } },
    routes: [{ name: 'shop', pool: 'shop' }],
  });
  if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
  const result = compileOnly(loaded);
  if (!result.ok) throw new Error(result.diagnostics[0]?.message);
  return { config: loaded.config, ...result };
}

describe('headgate routes', () => {
  test('lists what is forwarded as it is, then the routes', () => {
    const { config, routes } = compiled();
    const lines = listRoutes({ rules: routes, streams: streamRows(config) }, false).split('\n');
    expect(lines.map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'https sni bank.example, *.bank.example → pool bank as it is',
      'db every connection → pool bank as it is',
      'edge sni a.example → pool bank as it is',
      'edge every other connection → pool shop as it is',
      expect.stringMatching(/^shop \/\*\* → pool shop /),
      '',
    ]);
  });

  test('--json has both', () => {
    const { config, routes } = compiled();
    const listed = JSON.parse(listRoutes({ rules: routes, streams: streamRows(config) }, true)) as Record<
      string,
      unknown[]
    >;
    expect(listed['streams']?.[1]).toEqual({ listener: 'db', match: 'every connection', pool: 'bank' });
    expect(listed['routes']).toMatchObject([{ name: 'shop', leads: 'pool shop' }]);
  });
});

describe('headgate route', () => {
  const ask = (url: string, json = false) =>
    askRoute(compiled().snapshot, { method: 'GET', url: new URL(url), headers: [], explain: false, json });

  test('says which names no route will ever see', () => {
    expect(ask('https://pay.bank.example/')).toEqual({
      text: 'pay.bank.example is passed through, undecrypted → pool bank\n',
      found: true,
    });
    expect(JSON.parse(ask('https://bank.example/', true).text)).toEqual({ passthrough: 'bank.example', pool: 'bank' });
  });

  test('finds the route of all others', () => {
    expect(ask('https://shop.example/').text).toContain('→ pool shop');
  });
});
