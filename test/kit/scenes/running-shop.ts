import { startTestGateway } from '../gateway.ts';
import type { Scene } from '../scene.ts';

/** A gateway with a pool `shop` of two endpoints, which nobody has asked for anything yet. */
export async function scene(): Promise<Scene> {
  const gateway = await startTestGateway({
    listeners: { http: { port: 0 } },
    pools: {
      shop: { endpoints: ['10.0.0.11:3000', '10.0.0.12:3000'], affinity: { secret: 'x'.repeat(32) } },
    },
    routes: [{ name: 'shop', pool: 'shop' }],
  });
  const { adminUrl } = gateway.gateway;
  return {
    environment: { HEADGATE_ADMIN: adminUrl },
    shown: [
      [new URL(gateway.url('http')).host, '127.0.0.1:8080'],
      [new URL(adminUrl).host, '127.0.0.1:4600'],
    ],
  };
}
