import { startTestGateway, type TestConfig } from '../gateway.ts';
import type { Scene } from '../scene.ts';

const shop: TestConfig = {
  listeners: { http: { port: 0 } },
  pools: { shop: { endpoints: ['10.0.0.11:3000', '10.0.0.12:3000'] }, search: { endpoints: ['10.0.0.21:3000'] } },
  routes: [
    { name: 'search', match: { path: '/search/**' }, pool: 'search' },
    { name: 'shop', pool: 'shop' },
  ],
};

/** A gateway whose files were edited since it has loaded them: a route more, an endpoint less, another timeout. */
export async function scene(): Promise<Scene> {
  const gateway = await startTestGateway(shop);
  gateway.source({
    ...shop,
    pools: { ...shop.pools, shop: { endpoints: ['10.0.0.11:3000'] } },
    routes: [
      { name: 'suggest', match: { path: '/search/suggest/**' }, pool: 'shop' },
      { name: 'search', match: { path: '/search/**' }, pool: 'search', timeouts: { head: '3s' } },
      { name: 'shop', pool: 'shop' },
    ],
  });
  const { adminUrl } = gateway.gateway;
  return {
    environment: { HEADGATE_ADMIN: adminUrl },
    shown: [
      [new URL(adminUrl).host, '127.0.0.1:4600'],
      ['<inline>', 'routes/shop.yaml'],
    ],
  };
}
