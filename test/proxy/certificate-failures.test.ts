import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { ServerCertificate } from '../../src/exchange/certificate.ts';
import { shakeHands } from '../kit/handshake.ts';
import { shown, startListener, type TestListener } from '../kit/listener.ts';
import { mint } from '../kit/pki.ts';
import { exchangeRaw } from '../kit/raw-client.ts';

async function named(kind: 'ecdsa' | 'rsa', name: string): Promise<ServerCertificate['pairs'][number]> {
  const { cert, key } = await mint({ names: [name], kind });
  return { certificate: cert, key };
}

function pending(): Promise<never> {
  const error = { blame: 'gateway', status: 503, reason: 'certificate-pending' } as const;
  return Promise.reject(new GatewayError('tls_protocol_error', error));
}

/** `certificates` by name; `null` is for clients that name no server. */
function listenerWith(
  certificates: ReadonlyMap<string | null, ServerCertificate>,
  over: { readonly hasSeveralKeys?: boolean } = {},
): Promise<TestListener> {
  return startListener({
    tls: true,
    certificates: { ...over, certificateFor: (name) => certificates.get(name) ?? pending() },
    handle: ({ response }) => response.respond({ status: 204, headers: [] }, null),
  });
}

describe('a certificate that is not there', () => {
  test('ends one handshake, also where names are read before it begins', async () => {
    const pairs = [await named('ecdsa', 'shop.test'), await named('rsa', 'shop.test')];
    const certificates = new Map([[null, { pairs, ocspResponse: null }]]);
    const listener = await listenerWith(certificates, { hasSeveralKeys: true });
    // A rejection that nobody listens to would end the process, and fails the test.
    for (let n = 0; n < 2; n += 1) {
      await expect(shakeHands({ port: listener.port, name: 'new.test' })).rejects.toThrow(/alert internal error/);
      expect(await listener.refusal(n)).toMatchObject({ reason: 'certificate-pending' });
    }
  });
});

describe('a certificate that OpenSSL can’t use', () => {
  const unusable: ServerCertificate = { pairs: [{ certificate: 'garbage', key: 'garbage' }], ocspResponse: null };

  test.each([
    ['the default one', null, false],
    ['one of several keys', 'broken.test', true],
  ])('fails its own handshakes and no others: %s', async (_, name, hasSeveralKeys) => {
    const broken = name === null ? unusable : { ...unusable, pairs: [...unusable.pairs, ...unusable.pairs] };
    const certificates = new Map<string | null, ServerCertificate>([
      ['shop.test', await shown()],
      [name, broken],
    ]);
    if (name !== null) certificates.set(null, await shown());
    const listener = await listenerWith(certificates, { hasSeveralKeys });
    await expect(shakeHands({ port: listener.port, name: name ?? '' })).rejects.toThrow(/alert/);
    expect((await shakeHands({ port: listener.port, name: 'shop.test' })).names).toContain('DNS:shop.test');
    expect(listener.bugs).not.toEqual([]);
    listener.forgetBugs();
  });
});

test('a dot at the end of a server name is none of its own, for certificates and for what is told of the connection', async () => {
  const certificate = await shown();
  const { port, inbox } = await startListener({
    tls: true,
    certificates: { certificateFor: (name) => (name === 'shop.test' || name === null ? certificate : null) },
  });
  const reply = exchangeRaw({ port, tls: { serverName: 'Shop.Test.' } }, 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  const held = await inbox.next();
  expect(held.exchange.client.tls?.serverName).toBe('shop.test');
  held.respond(204);
  expect((await reply).status).toBe(204);
});
