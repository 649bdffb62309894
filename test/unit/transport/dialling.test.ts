import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { attempt, begin, destination, send, transportOf } from '../../kit/attempt.ts';
import { certificateFor } from '../../kit/certificate.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { deadPort, origin } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

/** Accepts connections and says nothing: a TLS handshake with it never ends. */
async function mute(): Promise<{ port: number; gone: Promise<unknown>; accepted: Promise<unknown> }> {
  const server = createServer();
  const accepted = once(server, 'connection');
  const gone = accepted.then(async ([socket]) => {
    (socket as Socket).resume().on('error', () => {});
    await new Promise((resolve) => (socket as Socket).once('close', resolve));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => server.close());
  return { port: (server.address() as AddressInfo).port, gone, accepted };
}

describe('a connection', () => {
  test('refused is a 502 that may be tried elsewhere, and carries no address in its message', async () => {
    const port = await deadPort();
    const heard = await send(transportOf(), attempt(destination(port)));
    expect([heard.error?.code, heard.error?.retry, heard.error?.status]).toEqual(['connection_refused', 'always', 502]);
    expect(heard.error?.message).not.toMatch(/127|\d{4}/);
    expect(heard.calls).toEqual(['fail']);
  });

  test('to a name that does not exist is a DNS error', async () => {
    const heard = await send(transportOf(), attempt(destination(80, { host: 'no-such-host.invalid' })));
    expect([heard.error?.code, heard.error?.retry, heard.error?.status]).toEqual(['dns_error', 'always', 502]);
  });

  test('to an impossible port fails like any other', async () => {
    const heard = await send(transportOf(), attempt(destination(70_000)));
    expect([heard.error?.retry, heard.error?.status]).toEqual(['always', 502]);
  });

  test.each(['127.0.0.1', '::1'])('to localhost is made where the server listens: %s', async (host) => {
    const server = await origin({ host });
    for (const name of ['localhost', 'LOCALHOST', 'app.localhost']) {
      const heard = await send(transportOf(), attempt(destination(server.port, { host: name })));
      expect(heard.status).toBe(200);
    }
  });

  test.each(['::1', '[::1]'])('to an IPv6 address may be written %s', async (host) => {
    const server = await origin({ host: '::1' });
    expect((await send(transportOf(), attempt(destination(server.port, { host })))).status).toBe(200);
  });

  test('that does not come about in time is given up', async () => {
    const clock = new ManualClock();
    const { port, gone, accepted } = await mute();
    const tls = { serverName: 'shop.test', ca: null, insecure: false };
    const { heard } = begin(transportOf({ clock }), attempt(destination(port, { tls }, { connectTimeoutMs: 700 })));
    await accepted;
    clock.advance(700);
    await heard.over;
    expect([heard.error?.code, heard.error?.retry, heard.error?.status]).toEqual(['connection_timeout', 'always', 504]);
    await gone;
  });
});

describe('TLS to an endpoint', () => {
  test('is verified against the CA and the name, and kept alive', async () => {
    const certificate = await certificateFor(['shop.test']);
    const server = await origin({ tls: certificate });
    const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
    const out = transportOf();
    expect((await send(out, attempt(destination(server.port, { tls })))).body).toBe('ok\n');
    // Another Host on the same connection: the name that counts is the configured one.
    const again = await send(out, attempt(destination(server.port, { tls }), { headers: ['Host', 'other.test'] }));
    expect(again.reused).toEqual([true]);
  });

  test('with a CA of its own does not trust what the built-in roots vouch for', async () => {
    const [builtIn, own] = [await certificateFor(['shop.test']), await certificateFor(['shop.test'])];
    const defaults = getCACertificates('default');
    setDefaultCACertificates([builtIn.cert]);
    stopAfterTest(() => setDefaultCACertificates(defaults));
    const server = await origin({ tls: builtIn });
    const tls = { serverName: 'shop.test', ca: null, insecure: false };
    expect((await send(transportOf(), attempt(destination(server.port, { tls })))).status).toBe(200);
    const heard = await send(transportOf(), attempt(destination(server.port, { tls: { ...tls, ca: own.cert } })));
    expect(heard.error?.code).toBe('tls_certificate_error');
  });

  test('is verified for an IP address, too', async () => {
    const certificate = await certificateFor(['127.0.0.1']);
    const server = await origin({ tls: certificate });
    const right = { serverName: '127.0.0.1', ca: certificate.cert, insecure: false };
    expect((await send(transportOf(), attempt(destination(server.port, { tls: right })))).status).toBe(200);
    const wrong = { ...right, serverName: '127.0.0.2' };
    const heard = await send(transportOf(), attempt(destination(server.port, { tls: wrong })));
    expect(heard.error?.code).toBe('tls_certificate_error');
  });

  test.each([
    ['an unknown issuer', { serverName: 'shop.test', ca: null, insecure: false }],
    ['another name', { serverName: 'evil.test', ca: 'own', insecure: false }],
  ])('fails for %s before a byte of the request', async (_what, tls) => {
    const certificate = await certificateFor(['shop.test']);
    const server = await origin({ tls: certificate });
    const ca = tls.ca === null ? null : certificate.cert;
    const heard = await send(transportOf(), attempt(destination(server.port, { tls: { ...tls, ca } })));
    expect([heard.error?.code, heard.error?.retry, heard.error?.status]).toEqual([
      'tls_certificate_error',
      'always',
      502,
    ]);
    expect(server.requests).toBe(0);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a refused certificate stays refused: no %s session of it is resumed',
    async (version) => {
      const certificate = await certificateFor(['shop.test']);
      const server = await origin({ tls: { ...certificate, maxVersion: version, minVersion: version } });
      const out = transportOf();
      const wrong = { serverName: 'evil.test', ca: certificate.cert, insecure: false };
      for (let i = 0; i < 3; i += 1) {
        const heard = await send(out, attempt(destination(server.port, { tls: wrong })));
        expect(heard.error?.code).toBe('tls_certificate_error');
      }
      const right = { ...wrong, serverName: 'shop.test' };
      const to = destination(server.port, { tls: right, connectionKey: 'right' }, { keepAliveMs: 0 });
      for (let i = 0; i < 3; i += 1) expect((await send(out, attempt(to))).status).toBe(200);
    },
  );

  test('fails for a certificate that has expired', async () => {
    const certificate = await certificateFor(['shop.test'], 0.5);
    const server = await origin({ tls: certificate });
    const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
    const heard = await send(transportOf(), attempt(destination(server.port, { tls })));
    expect(heard.error?.code).toBe('tls_certificate_error');
  });

  test('takes anything when told to be insecure', async () => {
    const server = await origin({ tls: await certificateFor(['shop.test']) });
    const tls = { serverName: 'evil.test', ca: null, insecure: true };
    expect((await send(transportOf(), attempt(destination(server.port, { tls })))).status).toBe(200);
  });

  test('to a port that speaks plain HTTP fails as a TLS error', async () => {
    const server = await origin({ script: [{ send: 'HTTP/1.1 400 Bad Request\r\n\r\n' }, 'end'] });
    const tls = { serverName: 'shop.test', ca: null, insecure: false };
    const heard = await send(transportOf(), attempt(destination(server.port, { tls })));
    expect([heard.error?.code, heard.error?.retry]).toEqual(['tls_protocol_error', 'always']);
  });

  test.each(['end', 'reset'] as const)('a stale kept-alive connection (%s) may be repeated', async (how) => {
    const certificate = await certificateFor(['shop.test']);
    const server = await origin({ tls: certificate, scripts: [['respond 200', 'read head', how]] });
    const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
    const out = transportOf();
    await send(out, attempt(destination(server.port, { tls })));
    const heard = await send(out, attempt(destination(server.port, { tls })));
    expect([heard.error?.code, heard.error?.retry, heard.reused]).toEqual([
      'connection_terminated',
      'if-reused',
      [true],
    ]);
  });
});
