import { startTestGateway } from '../gateway.ts';
import type { Scene } from '../scene.ts';

/** A gateway whose access log is off, and that has been asked for a page, for another that is not there, and for one of a route that is closed. */
export async function scene(): Promise<Scene> {
  const gateway = await startTestGateway({
    listeners: { http: { port: 0 } },
    accessLog: { enabled: false },
    routes: [
      { name: 'shop', match: { path: '/shop/**' }, respond: { status: 200, body: 'here' } },
      { name: 'closed', match: { path: '/api/**' }, respond: { status: 503 } },
    ],
  });
  const host = new URL(gateway.url('http')).host;
  for (const path of ['/shop/1?token=t', '/shop/2', '/nothing', '/api/users/7']) {
    await (await fetch(`http://${host}${path}`)).text();
    await gateway.nextRecord();
  }
  const { adminUrl } = gateway.gateway;
  return {
    environment: { HEADGATE_ADMIN: adminUrl },
    shown: [
      [host, 'shop.example'],
      [new URL(adminUrl).host, '127.0.0.1:4600'],
    ],
  };
}
