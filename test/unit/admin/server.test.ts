import { request } from 'node:http';
import { expect, test } from 'vitest';
import type { AdminDesk, Readiness } from '../../../src/admin/desk.ts';
import type { GatewayStatus } from '../../../src/control/status.ts';
import { adminOf } from '../../kit/admin.ts';
import { deskOf } from '../../kit/desk.ts';

const serving: GatewayStatus = {
  version: '1.2.3',
  startedAt: '2026-11-21T00:00:00.000Z',
  phase: 'serving',
  listeners: [],
  pools: [],
  routes: 0,
  maintenance: { all: null, routes: [] },
  overload: null,
  cache: { entries: 0, bytes: 0, arriving: 0, arrivingBytes: 0, waiting: 0 },
  certificates: [],
  cacheDisk: null,
  workers: null,
  quarantined: [],
  lastReload: null,
};

async function admin(parts: Partial<AdminDesk>): Promise<string> {
  const { port } = await adminOf({ desk: deskOf(parts) });
  return `http://127.0.0.1:${port}`;
}

function get(url: string, host: string): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const sent = request(url, { headers: { host }, agent: false }, (response) => {
    let body = '';
    response.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

test('readiness follows the gateway, liveness does not', async () => {
  let readiness: Readiness = { ready: true, status: 'ready' };
  const url = await admin({ readiness: async () => readiness });
  expect((await get(`${url}/readyz`, 'localhost')).status).toBe(200);
  readiness = { ready: false, status: 'draining' };
  expect((await get(`${url}/readyz`, 'localhost')).status).toBe(503);
  expect((await get(`${url}/healthz`, 'localhost')).status).toBe(200);
});

test('a page of another origin cannot reach a loopback listener under a name of its own', async () => {
  const url = await admin({ status: async () => serving });
  for (const host of ['evil.test', 'evil.test:4600', '127.0.0.1.evil.test', 'localhost.evil.test']) {
    expect(await get(`${url}/status`, host)).toMatchObject({ status: 421 });
  }
  for (const host of ['localhost', 'localhost:4600', '127.0.0.1:4600', '[::1]:4600', 'LOCALHOST']) {
    expect(await get(`${url}/status`, host)).toMatchObject({ status: 200, body: JSON.stringify(serving) });
  }
});
