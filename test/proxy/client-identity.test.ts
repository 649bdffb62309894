import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { ClientAuthority } from '../kit/client-authority.ts';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const justOnce = { without: ONE_PROTOCOL };

for (const protocol of ['http1', 'http2', 'auto'] as const) {
  matrix(
    `an endpoint that asks for a certificate gets that of the pool, with protocol ${protocol}`,
    async ({ gateway }) => {
      const shop = await guarded();
      const authority = await ClientAuthority.create('Clients');
      const intermediate = await authority.intermediate('Gateways');
      const leaf = await intermediate.issue({ subject: 'CN=gateway-1' });
      shop.trust(authority.cert);
      const tls = { ca: shop.ca, certificate: fileOf(leaf.cert), key: fileOf(leaf.key) };
      const pool = { endpoints: [`https://localhost:${shop.port}`], protocol, tls, health: { interval: '1h' } };
      const front = await gateway(forwardTo([], { pool }));
      expect((await front.send({})).text).toBe('gateway-1');
      const bare = await gateway(forwardTo([], { pool: { ...pool, tls: { ca: shop.ca } } }));
      const reply = await bare.send({});
      expect(reply.status).toBe(502);
      // Over HTTP/1.1 the request is under way by then, and the endpoint's reset may overtake its alert.
      expect(reply.header('proxy-status')).toMatch(
        protocol === 'http1' ? /tls_alert|terminated/ : /tls_alert_received/,
      );
    },
    justOnce,
  );
}

/** An endpoint that demands a certificate and answers with its common name. */
async function guarded(): Promise<{ port: number; ca: string; trust: (ca: string) => void }> {
  const own = await certificateFor(['localhost']);
  const server = createSecureServer({ ...own, requestCert: true, allowHTTP1: true }, (request, response) => {
    response.end(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    ca: fileOf(own.cert),
    trust: (ca) => server.setSecureContext({ ...own, ca }),
  };
}

/** A file with this text, for the time of the test. */
function fileOf(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  stopAfterTest(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'file.pem');
  writeFileSync(file, text);
  return file;
}
