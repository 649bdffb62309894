import 'reflect-metadata';
import { connect } from 'node:tls';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { startTestGateway, testAuthority } from '../kit/gateway.ts';
import { deadPort } from '../kit/origin.ts';

test('a client that insists on a revocation list finds it where the certificate says, signed by the local CA', async () => {
  const adminPort = await deadPort();
  const config = { listeners: { web: { port: 0, tls: {} } }, routes: [{ respond: {} }] };
  const gateway = await startTestGateway(config, { adminPort });
  const named = listNamedBy(await shownAt(gateway.port()));
  expect(named).toBe(`http://127.0.0.1:${adminPort}/ca.crl`);
  const reply = await fetch(named);
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toBe('application/pkix-crl');
  expect(reply.headers.get('cache-control')).toBe('max-age=3600');
  const list = new x509.X509Crl(await reply.arrayBuffer());
  expect(await list.verify({ publicKey: new x509.X509Certificate(await testAuthority()) })).toBe(true);
  expect(list.entries).toEqual([]);
  expect(list.nextUpdate?.getTime()).toBeGreaterThan(Date.now());
});

test('certificates name no list when the admin listener has another port at each start', async () => {
  const names = ['unlisted.test'];
  const gateway = await startTestGateway({ listeners: { web: { port: 0, tls: { names } } }, routes: [] });
  expect(listNamedBy(await shownAt(gateway.port(), 'unlisted.test'))).toBe('');
});

test('a gateway that mints nothing has no list', async () => {
  const { gateway } = await startTestGateway({ routes: [] });
  expect((await fetch(`${gateway.adminUrl}/ca.crl`)).status).toBe(404);
});

async function shownAt(port: number, servername = 'localhost'): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = connect({ host: '127.0.0.1', port, servername, ca: await testAuthority() });
  socket.on('error', reject);
  socket.on('secureConnect', () => resolve(socket.getPeerCertificate().raw));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

/** URL of the revocation list; empty when none is named. */
function listNamedBy(certificate: Buffer): string {
  const extension = new x509.X509Certificate(certificate).getExtension(x509.CRLDistributionPointsExtension);
  const name = extension?.distributionPoints[0]?.distributionPoint?.fullName?.[0];
  return name?.uniformResourceIdentifier ?? '';
}
