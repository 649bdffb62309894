import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { KeyPair, TlsChallenges } from '../../src/exchange/certificate.ts';
import { AcmeAuthority } from '../kit/acme-authority.ts';
import { certificateFor } from '../kit/certificate.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { H2Client } from '../kit/h2-client.ts';
import { secured, shakeHands } from '../kit/handshake.ts';
import { startListener } from '../kit/listener.ts';
import { exchangeRaw } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';

/** A scripted authority that can be dialled, and the PEM file of who vouches for it. */
async function startAuthority(): Promise<{ authority: AcmeAuthority; ca: string }> {
  const { cert, key } = await certificateFor(['localhost']);
  const directory = await mkdtemp(join(tmpdir(), 'headgate-acme-'));
  const ca = join(directory, 'ca.pem');
  writeFileSync(ca, cert);
  let authority: AcmeAuthority | null = null;
  const server = createServer({ cert, key }, (request, response) => {
    if (authority !== null) void answer(authority, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stopAfterTest(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(directory, { recursive: true });
  });
  authority = new AcmeAuthority(`https://localhost:${(server.address() as AddressInfo).port}`);
  return { authority, ca };
}

async function answer(authority: AcmeAuthority, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = '', url = '' } = request;
  const body = chunks.length === 0 ? null : Buffer.concat(chunks);
  const answered = await authority.http({
    ...{ method, headers: [], body, ca: null, timeoutMs: 0, limitBytes: 0 },
    url: `${authority.base}${url}`,
  });
  response.writeHead(answered.status, answered.headers as string[]);
  response.end(answered.body);
}

interface Site {
  readonly gateway: TestGateway;
  readonly authority: AcmeAuthority;
}

/** A gateway whose listener `https` orders a certificate for `name`, with plain listeners `redirecting` and `plain`. */
async function startSite(
  name: string,
  challenge: 'http-01' | 'tls-alpn-01',
  prove: (site: Site) => Promise<void>,
): Promise<Site> {
  const { authority, ca } = await startAuthority();
  const { promise, resolve } = Promise.withResolvers<Site>();
  let proved = false;
  authority.script = async ({ resource }) => {
    if (resource !== 'challenge' || proved) return null;
    proved = true;
    await prove(await promise);
    return null;
  };
  const gateway = await startTestGateway({
    listeners: {
      https: { port: 0, tls: { acme: { names: name, directory: authority.directoryUrl, ca, challenge } } },
      redirecting: { port: 0, redirectTo: 'https' },
      plain: { port: 0 },
    },
    routes: [{ respond: { status: 418, body: 'routed' } }],
  });
  const site = { gateway, authority };
  resolve(site);
  await until(() => gateway.status().certificates[0]?.state === 'ok', 'the certificate');
  return site;
}

function ask(site: Site, listener: string, request: string) {
  return exchangeRaw({ port: site.gateway.port(listener) }, `${request} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
}

const PENDING = '/.well-known/acme-challenge/token-for-http-01-1';

describe('RFC 8555 §8.3: http-01', () => {
  test('a pending token is answered on every plain listener before anything else, everything else goes its way', async () => {
    const seen: Record<string, number> = {};
    const site = await startSite('a.test', 'http-01', async (running) => {
      for (const listener of ['redirecting', 'plain']) {
        const reply = await ask(running, listener, `GET ${PENDING}`);
        expect(reply.text).toMatch(/^token-for-http-01-1\.[A-Za-z0-9_-]{43}$/);
        expect(reply.header('content-type')).toBe('application/octet-stream');
        seen[`${listener} pending`] = reply.status;
        seen[`${listener} other`] = (await ask(running, listener, 'GET /.well-known/acme-challenge/another')).status;
        seen[`${listener} post`] = (await ask(running, listener, `POST ${PENDING}`)).status;
        seen[`${listener} head`] = (await ask(running, listener, `HEAD ${PENDING}`)).status;
      }
    });
    expect(seen).toEqual({
      'redirecting pending': 200,
      'redirecting other': 301,
      'redirecting post': 308,
      'redirecting head': 200,
      'plain pending': 200,
      'plain other': 418,
      'plain post': 418,
      'plain head': 200,
    });
    const after = [await ask(site, 'redirecting', `GET ${PENDING}`), await ask(site, 'plain', `GET ${PENDING}`)];
    expect(after.map(({ status }) => status)).toEqual([301, 418]);
  });
});

describe('until there is a certificate', () => {
  test('its name gets no handshake, and afterwards the new certificate, without a restart', async () => {
    const before: unknown[] = [];
    const { gateway } = await startSite('b.test', 'tls-alpn-01', async (running) => {
      const port = running.gateway.port('https');
      before.push(await shakeHands({ port, name: 'b.test' }).catch((error: unknown) => error));
      before.push(await shakeHands({ port }).catch((error: unknown) => error));
    });
    expect(before).toEqual([expect.any(Error), expect.any(Error)]);
    const { names } = await shakeHands({ port: gateway.port('https'), name: 'b.test' });
    expect(names).toBe('DNS:b.test');
    expect((await shakeHands({ port: gateway.port('https') })).names).toBe('DNS:b.test');
    expect(gateway.status().certificates).toMatchObject([{ listener: 'https', names: ['b.test'], state: 'ok' }]);
  });
});

/** Challenges as an order would set them, in the test's hands. */
class Challenges implements TlsChallenges {
  readonly pairs = new Map<string, KeyPair>();

  get pending(): boolean {
    return this.pairs.size > 0;
  }

  certificateFor(serverName: string): KeyPair | null {
    return this.pairs.get(serverName) ?? null;
  }
}

async function challengeFor(name: string): Promise<Challenges> {
  const { cert, key } = await certificateFor([name]);
  const challenges = new Challenges();
  challenges.pairs.set(name, { certificate: cert, key });
  return challenges;
}

const get = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n';

describe('RFC 8737: tls-alpn-01', () => {
  test('§3: an authority gets the challenge certificate and agrees on acme-tls/1; then the connection is closed', async () => {
    const challenges = await challengeFor('proof.test');
    const { port } = await startListener({ tls: true, challenges });
    const socket = await secured({ port, name: 'proof.test', ALPNProtocols: ['acme-tls/1'] });
    expect(socket.alpnProtocol).toBe('acme-tls/1');
    expect(socket.getPeerCertificate().subjectaltname).toBe('DNS:proof.test');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(get);
    socket.resume();
    await closed;
  });

  test('everybody else is served as ever while a challenge is pending', async () => {
    const { port, inbox, refusals } = await startListener({ tls: true, challenges: await challengeFor('proof.test') });
    const h2 = await H2Client.connect({ port });
    expect(h2.session.alpnProtocol).toBe('h2');
    const reply = exchangeRaw({ port, tls: { serverName: 'shop.test' } }, get);
    (await inbox.next()).respond(200, [], 'safe');
    expect((await reply).text).toBe('safe');
    const readable = await exchangeRaw({ port }, get);
    expect(readable.text).toContain('http-on-tls-port');
    expect(refusals.map(({ reason }) => reason)).toEqual(['http-on-tls-port']);
  });

  test('a name that nobody is asked for gets no handshake, and the log a line', async () => {
    const listener = await startListener({ tls: true, challenges: await challengeFor('proof.test') });
    const { port } = listener;
    await expect(shakeHands({ port, name: 'shop.test', ALPNProtocols: ['acme-tls/1'] })).rejects.toThrow();
    expect(await listener.refusal()).toMatchObject({ status: 0, reason: 'acme-challenge-failed', peer: '127.0.0.1' });
  });

  test('while nothing is pending, acme-tls/1 is a protocol that is not spoken', async () => {
    const listener = await startListener({ tls: true, challenges: new Challenges() });
    const { port } = listener;
    await expect(shakeHands({ port, name: 'shop.test', ALPNProtocols: ['acme-tls/1'] })).rejects.toThrow();
    expect(await listener.refusal()).toMatchObject({ reason: 'no-shared-protocol' });
  });
});

test('a reload reads again who vouches for the authority', async () => {
  const { authority, ca } = await startAuthority();
  const acme = { names: 'a.test', directory: authority.directoryUrl, ca };
  const config = { listeners: { https: { port: 0, tls: { acme } } }, routes: [{ respond: { status: 204 } }] };
  const gateway = await startTestGateway(config);
  expect((await gateway.reload(config)).changes?.listeners.changed).toEqual([]);
  writeFileSync(ca, (await certificateFor(['other.test'])).cert);
  expect((await gateway.reload(config)).changes?.listeners.changed).toEqual(['https']);
});
