import { connect, type PeerCertificate } from 'node:tls';
import { expect, test } from 'vitest';
import { startTestGateway, type TestGateway, testAuthority } from '../kit/gateway.ts';

/** The certificate that the gateway shows for `serverName`, verified against the local CA for that name; `null` sends no SNI. */
async function shownFor(gateway: TestGateway, serverName: string | null): Promise<PeerCertificate> {
  const ca = await testAuthority();
  const { promise, resolve, reject } = Promise.withResolvers<PeerCertificate>();
  const names = serverName === null ? { host: '127.0.0.1' } : { host: '127.0.0.1', servername: serverName };
  const socket = connect({ port: gateway.port(), ca, ...names });
  socket.on('error', reject);
  socket.on('secureConnect', () => resolve(socket.getPeerCertificate()));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

test('with tls: {} every name below localhost and every host of a route has a certificate of its own', async () => {
  const gateway = await startTestGateway({
    listeners: { web: { port: 0, tls: {} } },
    routes: [{ match: { host: ['shop.test', '*.dev.test'] }, respond: {} }],
  });
  for (const name of ['localhost', 'myapp.localhost', 'api.myapp.localhost', 'shop.test', 'pr-7.dev.test']) {
    expect((await shownFor(gateway, name)).subjectaltname).toBe(`DNS:${name}`);
  }
});

test('handshakes of many clients for one new name all succeed, on one certificate', async () => {
  const gateway = await startTestGateway({ listeners: { web: { port: 0, tls: {} } }, routes: [{ respond: {} }] });
  const shown = await Promise.all(Array.from({ length: 12 }, () => shownFor(gateway, 'burst.localhost')));
  expect(new Set(shown.map(({ fingerprint256 }) => fingerprint256)).size).toBe(1);
});

test('a client that dials an address gets a certificate for it', async () => {
  const gateway = await startTestGateway({ listeners: { web: { port: 0, tls: {} } }, routes: [{ respond: {} }] });
  expect((await shownFor(gateway, null)).subjectaltname).toContain('IP Address:127.0.0.1');
});

test('nothing is minted for a name that is not configured', async () => {
  const gateway = await startTestGateway({
    listeners: { web: { port: 0, tls: { names: ['*.dev.test', 'localhost'] } } },
    routes: [{ respond: {} }],
  });
  await expect(shownFor(gateway, 'bank.example')).rejects.toThrow(/altnames/);
  await expect(shownFor(gateway, 'x.localhost')).rejects.toThrow(/altnames/);
  expect((await shownFor(gateway, 'x.dev.test')).subjectaltname).toBe('DNS:x.dev.test');
});
