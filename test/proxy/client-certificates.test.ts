import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { TlsSettings } from '../../src/control/tls/tls-settings.ts';
import type { HandleExchange } from '../../src/exchange/exchange.ts';
import { ClientAuthority, type Leaf } from '../kit/client-authority.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import { type Origin, origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { tlsPolicies } from '../kit/tls-policies.ts';
import { visit } from '../kit/tls-visit.ts';

let authority: ClientAuthority;
let intermediate: ClientAuthority;
let stranger: ClientAuthority;
let alice: Leaf;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'headgate-clients-'));
  authority = await ClientAuthority.create('Acme CA');
  intermediate = await authority.intermediate('Acme Staff');
  stranger = await ClientAuthority.create('Stranger');
  alice = await authority.issue({
    subject: 'C=DE, O="Acme, Inc.", CN=alice',
    names: [
      { type: 'dns', value: 'alice.test' },
      { type: 'url', value: 'spiffe://acme/alice' },
    ],
  });
  await writeFile(join(directory, 'ca.pem'), authority.cert);
});

type Clients = NonNullable<NonNullable<NonNullable<TestConfig['listeners']>[string]['tls']>['clientCertificates']>;

function listening(clients: Partial<Clients>, tls: object = {}): NonNullable<TestConfig['listeners']> {
  const clientCertificates = { mode: 'require', ca: join(directory, 'ca.pem'), ...clients } as const;
  return { web: { port: 0, tls: { ...tls, clientCertificates } } };
}

async function gatewayBefore(shop: Origin, clients: Partial<Clients> = {}, over: Partial<TestConfig> = {}) {
  return startTestGateway({ ...forwardTo(shop), listeners: listening({ forward: true, ...clients }), ...over });
}

const byteSequence = (der: Buffer): string => `:${der.toString('base64')}:`;

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('client certificates, %s', (version) => {
  const only = { minVersion: version, maxVersion: version, servername: 'localhost' };

  test('a verified certificate is passed on as RFC 9440 says, with what stands between it and the authority', async () => {
    const shop = await origin();
    const gateway = await gatewayBefore(shop);
    expect((await visit({ port: gateway.port(), ...only, ...alice })).text).toContain('HTTP/1.1 200');
    expect((await shop.request()).header('client-cert')).toBe(byteSequence(alice.der));
    expect((await shop.request()).header('client-cert-chain')).toBeNull();
    const bob = await intermediate.issue({ subject: 'CN=bob' });
    await visit({ port: gateway.port(), ...only, ...bob });
    expect((await shop.request(1)).header('client-cert')).toBe(byteSequence(bob.der));
    expect((await shop.request(1)).header('client-cert-chain')).toBe(byteSequence(intermediate.der));
  });

  test('what a client shows besides its chain is not passed on as part of it', async () => {
    const shop = await origin();
    const gateway = await gatewayBefore(shop);
    await visit({ port: gateway.port(), ...only, ...alice, cert: alice.cert + stranger.cert });
    await visit({ port: gateway.port(), ...only, ...alice, cert: alice.cert + intermediate.cert });
    const carol = await intermediate.issue({ subject: 'CN=carol' });
    await visit({ port: gateway.port(), ...only, ...carol, cert: carol.cert + stranger.cert + authority.cert });
    const chains = shop.received.map((received) => received.header('client-cert-chain'));
    expect(chains).toEqual([null, null, byteSequence(intermediate.der)]);
  });

  test('nothing is passed on unless it is asked for, and the log knows who it was', async () => {
    const shop = await origin();
    const gateway = await gatewayBefore(shop, { forward: false });
    await visit({ port: gateway.port(), ...only, ...alice });
    expect((await shop.request()).header('client-cert')).toBeNull();
    expect((await gateway.nextRecord()).tls?.clientCertificate).toMatchObject({
      subject: 'CN=alice,O=Acme\\, Inc.,C=DE',
      issuer: 'CN=Acme CA',
      names: ['DNS:alice.test', 'URI:spiffe://acme/alice'],
      serial: alice.serial,
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('require: no request of a client without a certificate gets further than 400', async () => {
    const shop = await origin();
    const gateway = await gatewayBefore(shop);
    const { text } = await visit({ port: gateway.port(), ...only });
    expect(text).toMatch(/^HTTP\/1.1 400 .*\r\n/);
    expect(text).toContain('headgate; error=http_request_denied');
    expect((await gateway.nextRecord()).end.reason).toBe('client-certificate-required');
    expect(shop.received).toEqual([]);
  });

  test('request: a client may have none', async () => {
    const shop = await origin();
    const gateway = await gatewayBefore(shop, { mode: 'request' });
    expect((await visit({ port: gateway.port(), ...only })).text).toContain('HTTP/1.1 200');
    expect((await shop.request()).header('client-cert')).toBeNull();
    expect((await gateway.nextRecord()).tls).toMatchObject({ clientCertificate: null, refusal: null });
  });

  test('a certificate that does not verify is refused in both modes, with the reason', async () => {
    const revoked = await authority.issue();
    const crl = join(directory, `revoked-${version}.pem`);
    await writeFile(crl, await authority.revoke(revoked));
    const bad: readonly (readonly [Leaf, string])[] = [
      [await stranger.issue(), 'client-certificate-unknown-ca'],
      [await authority.issue({ notAfter: Date.now() - 60_000 }), 'client-certificate-expired'],
      [await authority.issue({ purpose: 'server' }), 'client-certificate-wrong-purpose'],
      [revoked, 'client-certificate-revoked'],
      [await intermediate.issue(), 'client-certificate-revocation-list-missing'],
    ];
    for (const mode of ['request', 'require'] as const) {
      const shop = await origin();
      const gateway = await gatewayBefore(shop, { mode, crl });
      for (const [leaf, reason] of bad) {
        expect((await visit({ port: gateway.port(), ...only, ...leaf })).text).toMatch(/^HTTP\/1.1 400 /);
        const { end, tls } = await gateway.nextRecord();
        expect([end.reason, tls?.clientCertificate]).toEqual([reason, null]);
      }
      expect((await visit({ port: gateway.port(), ...only, ...alice })).text).toContain('HTTP/1.1 200');
      expect(shop.received).toHaveLength(1);
    }
  });

  test('a resumed session keeps the certificate, and the chain that was shown with it', async () => {
    const shop = await origin();
    const gateway = await gatewayBefore(shop);
    const bob = await intermediate.issue({ subject: 'CN=bob' });
    const { session } = await visit({ port: gateway.port(), ...only, ...bob });
    const { reused } = await visit({ port: gateway.port(), ...only, session });
    expect(reused).toBe(true);
    for (const n of [0, 1]) {
      expect((await shop.request(n)).header('client-cert')).toBe(byteSequence(bob.der));
      expect((await shop.request(n)).header('client-cert-chain')).toBe(byteSequence(intermediate.der));
    }
  });

  test('a session that was made without a client certificate opens no listener that requires one (CVE-2025-23419)', async () => {
    const ticketKeys = join(directory, `keys-${version}`);
    await writeFile(ticketKeys, randomBytes(48).toString('base64'));
    await writeFile(join(directory, 'stranger.pem'), stranger.cert);
    const shop = await origin();
    const open = { port: 0, tls: { ticketKeys } };
    const strange = listening({ ca: join(directory, 'stranger.pem') }, { ticketKeys })['web'];
    const listeners = { ...listening({}, { ticketKeys }), open, ...(strange === undefined ? {} : { strange }) };
    const gateway = await startTestGateway({ ...forwardTo(shop), listeners });
    const { session } = await visit({ port: gateway.port('open'), ...only });
    expect((await visit({ port: gateway.port('open'), ...only, session })).reused).toBe(true);
    const intruder = await visit({ port: gateway.port('web'), ...only, session });
    expect(intruder.reused).toBe(false);
    expect(intruder.text).toMatch(/^HTTP\/1.1 400 /);
    const other = await visit({ port: gateway.port('strange'), ...only, ...(await stranger.issue()) });
    expect(other.text).toContain('HTTP/1.1 200');
    const guest = await visit({ port: gateway.port('web'), ...only, session: other.session });
    expect(guest.reused).toBe(false);
    expect(guest.text).toMatch(/^HTTP\/1.1 400 /);
  });
});

const answer: HandleExchange = ({ response, client }) =>
  response.respond({ status: client.tls?.refusal === null ? 204 : 400, headers: [] }, null);

function settings(crls: readonly string[] = [], scope = 'clients'): TlsSettings {
  return {
    minVersion: '1.2',
    profile: 'intermediate',
    tickets: { kind: 'rotating', rotationMs: 12 * 3_600_000 },
    clientCertificates: { mode: 'require', ca: authority.cert, crls },
    scope,
  };
}

test('the log has a line for a refused certificate, whether a request follows or not', async () => {
  const policies = tlsPolicies().open(settings());
  const listener = await startListener({ tls: true, policies, handle: answer });
  await visit({ port: listener.port });
  expect(listener.refusals).toEqual([
    { listener: 'web', peer: '127.0.0.1', status: 400, reason: 'client-certificate-required' },
  ]);
});

test('a new revocation list ends the sessions that were agreed on before it', async () => {
  const policies = tlsPolicies().open(settings());
  const { port } = await startListener({ tls: true, policies, handle: answer });
  const { session, text } = await visit({ port, ...alice });
  expect(text).toContain('204');
  policies.replace(settings([await authority.revoke(alice)], 'revoked'));
  const again = await visit({ port, ...alice, session });
  expect([again.reused, again.text.slice(0, 12)]).toEqual([false, 'HTTP/1.1 400']);
});

test('a revocation list that changes on disk counts from then on, a damaged one changes nothing', async () => {
  const shop = await origin();
  const leaf = await authority.issue();
  const crl = join(directory, 'changing.pem');
  await writeFile(crl, await authority.revoke());
  const clock = new ManualClock(Date.now());
  const clients = { mode: 'require', ca: join(directory, 'ca.pem'), crl } as const;
  const gateway = await startTestGateway(
    { ...forwardTo(shop), listeners: { web: { port: 0, tls: { clientCertificates: clients } } } },
    { clock },
  );
  const admitted = async (): Promise<boolean> => {
    // What events have not told by now, the regular look finds.
    clock.advance(60_000);
    return (await visit({ port: gateway.port(), servername: 'localhost', ...leaf })).text.includes('HTTP/1.1 200');
  };
  expect(await admitted()).toBe(true);
  await writeFile(crl, 'damaged');
  expect(await admitted()).toBe(true);
  await writeFile(crl, await authority.revoke(leaf));
  await vi.waitUntil(async () => !(await admitted()), { timeout: 8_000 });
});

test('a session does not outlive the certificate it was made with', async () => {
  const clock = new ManualClock(Date.now());
  const policies = tlsPolicies().open(settings());
  const { port, refusals } = await startListener({ tls: true, policies, handle: answer, clock });
  const leaf = await authority.issue({ notAfter: Date.now() + 3_600_000 });
  const { session } = await visit({ port, ...leaf });
  clock.advance(2 * 3_600_000);
  const late = await visit({ port, session });
  expect([late.reused, late.text.slice(0, 12)]).toEqual([true, 'HTTP/1.1 400']);
  expect(refusals).toMatchObject([{ reason: 'client-certificate-expired' }]);
});

test('HTTP/2 asks for certificates too', async () => {
  const shop = await origin();
  const gateway = await gatewayBefore(shop);
  const get = async (leaf: Leaf | null): Promise<number> => {
    const options = { rejectUnauthorized: false, servername: 'localhost', ...(leaf ?? {}) };
    const session = connectHttp2(`https://127.0.0.1:${gateway.port()}`, options);
    stopAfterTest(() => session.destroy());
    const stream = session.request({ ':path': '/' });
    stream.resume();
    const [head] = (await once(stream, 'response')) as [{ ':status': number }];
    return head[':status'];
  };
  expect(await get(alice)).toBe(200);
  expect((await shop.request()).header('client-cert')).toBe(byteSequence(alice.der));
  expect(await get(null)).toBe(400);
  expect(await get(await stranger.issue())).toBe(400);
  expect(shop.received).toHaveLength(1);
});

test('routes choose by subject, alternative names and fingerprint, templates write them', async () => {
  const shop = await origin();
  const fingerprint = new (await import('node:crypto')).X509Certificate(alice.cert).fingerprint256;
  const respond = (body: string) => ({ respond: { status: 200, body } });
  const gateway = await gatewayBefore(
    shop,
    { mode: 'request' },
    {
      routes: [
        { match: { path: '/', clientCertificate: { fingerprint } }, ...respond('is {client.certificate.subject}.') },
        {
          match: { path: '/', clientCertificate: { san: { prefix: 'DNS:bob.' } } },
          ...respond('names {client.certificate.san}.'),
        },
        {
          match: { path: '/', clientCertificate: { subject: { regex: '(^|,)CN=carol(,|$)' } } },
          ...respond('subject'),
        },
        { match: { path: '/', clientCertificate: { subject: { absent: true } } }, ...respond('nobody') },
      ],
      pools: {},
    },
  );
  const said = async (leaf: object): Promise<string> => {
    const { text } = await visit({ port: gateway.port(), servername: 'localhost', ...leaf });
    return text.slice(text.indexOf('\r\n\r\n') + 4);
  };
  expect(await said(alice)).toBe('is CN=alice,O=Acme\\, Inc.,C=DE.');
  const bob = await authority.issue({ subject: 'CN=bob', names: [{ type: 'dns', value: 'bob.test' }] });
  expect(await said(bob)).toBe('names DNS:bob.test.');
  expect(await said(await authority.issue({ subject: 'CN=carol' }))).toBe('subject');
  expect(await said({})).toBe('nobody');
});

test('a certificate without a subject, as SPIFFE has them, is as good as any', async () => {
  const shop = await origin();
  const gateway = await gatewayBefore(shop);
  const service = await authority.issue({ subject: '', names: [{ type: 'url', value: 'spiffe://acme/billing' }] });
  expect((await visit({ port: gateway.port(), ...service })).text).toContain('HTTP/1.1 200');
  expect((await gateway.nextRecord()).tls?.clientCertificate).toMatchObject({
    subject: '',
    names: ['URI:spiffe://acme/billing'],
  });
});

test('one alternative name never looks like two where they are written as text', async () => {
  const shop = await origin();
  const config = forwardTo(shop);
  const [route] = config.routes ?? [];
  const set = { 'X-San': '{client.certificate.san}' };
  const gateway = await gatewayBefore(shop, {}, { routes: [{ ...route, requestHeaders: { set } }] });
  const names = ['spiffe://acme/x, URI:spiffe://acme/root', 'spiffe://acme/y'].map(
    (value) => ({ type: 'url', value }) as const,
  );
  await visit({ port: gateway.port(), ...(await authority.issue({ names })) });
  expect((await shop.request()).header('x-san')).toBe(
    '"URI:spiffe://acme/x, URI:spiffe://acme/root", URI:spiffe://acme/y',
  );
});

test('nothing that stands in a certificate becomes a line of its own in a field', async () => {
  const shop = await origin();
  const config = forwardTo(shop);
  const [route] = config.routes ?? [];
  const set = { 'X-San': '{client.certificate.san}', 'X-Subject': '{client.certificate.subject}' };
  const gateway = await gatewayBefore(shop, {}, { routes: [{ ...route, requestHeaders: { set } }] });
  const value = 'a\r\nX-Evil: 1\0';
  const odd = await authority.issue({ subject: 'CN="a\0b日本"', names: [{ type: 'dns', value }] });
  await visit({ port: gateway.port(), ...odd });
  const received = await shop.request();
  expect(received.header('x-evil')).toBeNull();
  expect(received.header('x-san')).toBe('DNS:a  X-Evil: 1');
  expect(received.header('x-subject')).toBe(Buffer.from('CN=a\\00b日本').toString('latin1'));
});

test('two clients never share a stored response where endpoints are told who they are', async () => {
  const stored = { respond: 200, headers: ['Cache-Control', 'max-age=60'] } as const;
  const shop = await origin({ script: [stored] });
  const gateway = await startTestGateway({
    listeners: listening({ forward: true }),
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
    routes: [{ match: { path: { prefix: '/' } }, pool: 'shop', cache: {} }],
  });
  const bob = await authority.issue({ subject: 'CN=bob' });
  for (const leaf of [alice, alice, bob, bob]) await visit({ port: gateway.port(), servername: 'localhost', ...leaf });
  expect(shop.received.map((received) => received.header('client-cert'))).toEqual([
    byteSequence(alice.der),
    byteSequence(bob.der),
  ]);
});

matrix('a client can’t say of itself which certificate it has, in no spelling', async ({ gateway, origin }) => {
  const shop = await origin();
  const config = forwardTo(shop);
  const spoofed = { match: { headers: { 'Client-Cert': { present: true } } }, respond: { status: 418 } } as const;
  const front = await gateway({
    ...config,
    listeners: { web: { port: 0, underscores: 'keep' } },
    routes: [spoofed, ...(config.routes ?? [])],
  });
  const { status } = await front.send({
    headers: [
      ...['Client-Cert', ':AAAA:', 'client-cert', ':BBBB:', 'Client_Cert', ':CCCC:', 'CLIENT-CERT-CHAIN', ':DDDD:'],
      ...['Client_Cert_Chain', ':EEEE:', 'client-cert_chain', ':FFFF:', 'X-Kept', 'yes'],
    ],
    body: 'x',
    chunked: true,
    trailers: ['Client-Cert', ':GGGG:', 'X-Sum', '1'],
    method: 'POST',
  });
  expect(status).toBe(200);
  const received = await shop.complete();
  expect(received.header('x-kept')).toBe('yes');
  expect(received.head).not.toMatch(/client.cert/i);
  expect(received.trailers.join()).not.toMatch(/client.cert/i);
});
