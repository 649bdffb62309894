import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const once = { without: ONE_PROTOCOL };

matrix(
  'an endpoint whose certificate nobody vouches for is not talked to',
  async ({ gateway, origin }) => {
    const shop = await origin({ tls: await certificateFor(['127.0.0.1']) });
    const front = await gateway(forwardTo([], { pool: { endpoints: [`https://127.0.0.1:${shop.port}`] } }));
    const reply = await front.send({ headers: ['Cookie', 'secret'] });
    expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=tls_certificate_error']);
    expect(shop.requests).toBe(0);
  },
  once,
);

matrix(
  'an endpoint whose certificate is signed by the pool’s CA is',
  async ({ gateway, origin }) => {
    const certificate = await certificateFor(['127.0.0.1']);
    const shop = await origin({ tls: certificate });
    const pool = { endpoints: [`https://127.0.0.1:${shop.port}`], tls: { ca: await fileOf(certificate.cert) } };
    const front = await gateway(forwardTo([], { pool }));
    expect((await front.send({})).status).toBe(200);
    expect((await shop.request()).header('host')).toBe('shop.test');
  },
  once,
);

matrix(
  'a certificate for another name is refused, unless the pool says that this is the name',
  async ({ gateway, origin }) => {
    const certificate = await certificateFor(['inner.test']);
    const shop = await origin({ tls: certificate });
    const endpoints = [`https://127.0.0.1:${shop.port}`];
    const ca = await fileOf(certificate.cert);
    const strict = await gateway(forwardTo([], { pool: { endpoints, tls: { ca } } }));
    expect((await strict.send({})).header('proxy-status')).toBe('headgate; error=tls_certificate_error');
    const named = await gateway(forwardTo([], { pool: { endpoints, tls: { ca, serverName: 'inner.test' } } }));
    expect((await named.send({})).status).toBe(200);
  },
  once,
);

matrix(
  'insecure: true takes any certificate',
  async ({ gateway, origin }) => {
    const shop = await origin({ tls: await certificateFor(['elsewhere.test']) });
    const pool = { endpoints: [`https://127.0.0.1:${shop.port}`], tls: { insecure: true } };
    const front = await gateway(forwardTo([], { pool }));
    expect((await front.send({})).status).toBe(200);
  },
  once,
);

matrix(
  'an endpoint that speaks no TLS is 502',
  async ({ gateway, origin }) => {
    // It does not hang up: an RST could overtake what it says.
    const shop = await origin({ script: [{ send: 'HTTP/1.1 400 Bad Request\r\n\r\n' }, 'silent'] });
    const front = await gateway(forwardTo([], { pool: { endpoints: [`https://127.0.0.1:${shop.port}`] } }));
    const reply = await front.send({});
    expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=tls_protocol_error']);
  },
  once,
);

for (const host of ['127.0.0.1', '::1']) {
  matrix(
    `an endpoint called localhost is found when it listens on ${host} alone`,
    async ({ gateway, origin }) => {
      const shop = await origin({ host });
      const front = await gateway(forwardTo([], { pool: { endpoints: [`localhost:${shop.port}`] } }));
      expect((await front.send({})).status).toBe(200);
    },
    once,
  );
}

matrix(
  'an endpoint whose name does not resolve is 503, and costs nobody else anything',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway({
      pools: { gone: { endpoints: ['gone.invalid:80'] }, shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
      routes: [{ pool: 'gone', match: { path: '/gone' } }, { pool: 'shop' }],
    });
    const reply = await front.send({ path: '/gone' });
    expect([reply.status, reply.header('proxy-status')]).toEqual([503, 'headgate; error=dns_error']);
    expect((await front.send({})).status).toBe(200);
  },
  once,
);

/** A file with this text, for the time of the test. */
async function fileOf(text: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  stopAfterTest(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'ca.pem');
  await writeFile(file, text);
  return file;
}
