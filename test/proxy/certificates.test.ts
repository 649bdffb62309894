import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { startGateway } from '../../src/gateway.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { type Handshake, shakeHands } from '../kit/handshake.ts';
import { type MintOptions, mint } from '../kit/pki.ts';
import { exchangeRaw } from '../kit/raw-client.ts';

let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-certificates-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Files {
  readonly certificate: string;
  readonly key: string;
}

async function files(name: string, names: readonly string[], over: Partial<MintOptions> = {}): Promise<Files> {
  const { cert, key } = await mint({ names, ...over });
  const written = { certificate: join(directory, `${name}.pem`), key: join(directory, `${name}-key.pem`) };
  writeFileSync(written.certificate, cert);
  writeFileSync(written.key, key);
  return written;
}

function gatewayWith(
  certificates: readonly Files[],
  unknownNames: 'default' | 'refuse' = 'default',
): Promise<TestGateway> {
  const tls = { certificates: [...certificates], unknownNames };
  return startTestGateway({ listeners: { web: { port: 0, tls } }, routes: [{ respond: { body: 'fine' } }] });
}

function shown(gateway: TestGateway, name?: string): Promise<Handshake> {
  return shakeHands({ port: gateway.port(), ...(name === undefined ? {} : { name }) });
}

describe('certificates by name', () => {
  test('each client gets the one for the server that it asks for, the first one when it asks for none', async () => {
    const gateway = await gatewayWith([await files('a', ['a.test']), await files('b', ['*.b.test'])]);
    expect((await shown(gateway, 'a.test')).names).toBe('DNS:a.test');
    expect((await shown(gateway, 'x.b.test')).names).toBe('DNS:*.b.test');
    expect((await shown(gateway, 'unknown.test')).names).toBe('DNS:a.test');
    expect((await shown(gateway)).names).toBe('DNS:a.test');
  });

  test('a handshake for an unknown name is refused when the listener says so', async () => {
    const gateway = await gatewayWith([await files('a', ['a.test'])], 'refuse');
    expect((await shown(gateway, 'a.test')).names).toBe('DNS:a.test');
    await expect(shown(gateway, 'unknown.test')).rejects.toThrow();
  });
});

describe('ECDSA and RSA', () => {
  const clients = [
    ['TLS 1.3, RSA only', { sigalgs: 'rsa_pss_rsae_sha256', minVersion: 'TLSv1.3' }, 'rsa'],
    ['TLS 1.3, ECDSA only', { sigalgs: 'ecdsa_secp256r1_sha256', minVersion: 'TLSv1.3' }, 'ecdsa'],
    ['TLS 1.3, both', { minVersion: 'TLSv1.3' }, 'ecdsa'],
    ['TLS 1.2, RSA only', { sigalgs: 'RSA+SHA256', maxVersion: 'TLSv1.2' }, 'rsa'],
    ['TLS 1.2, ECDSA only', { sigalgs: 'ECDSA+SHA256', maxVersion: 'TLSv1.2' }, 'ecdsa'],
    ['TLS 1.2, RSA suites only', { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }, 'rsa'],
    ['TLS 1.2, ECDSA suites only', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }, 'ecdsa'],
  ] as const;

  test.each(clients)(
    'for one name: a client with %s gets what it can verify, with SNI and without',
    async (_, client, keyType) => {
      const gateway = await gatewayWith([
        await files('one', ['one.test'], { kind: 'rsa' }),
        await files('two', ['two.test'], { kind: 'rsa' }),
        await files('two-ecdsa', ['two.test']),
        await files('one-ecdsa', ['one.test']),
      ]);
      for (const name of ['two.test', 'one.test']) {
        const shown = await shakeHands({ port: gateway.port(), name, ...client });
        expect(shown).toMatchObject({ names: `DNS:${name}`, keyType });
      }
      expect(await shakeHands({ port: gateway.port(), ...client })).toMatchObject({ names: 'DNS:one.test', keyType });
    },
  );

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'for different names: nobody gets the certificate of another name, whatever it prefers (%s)',
    async (version) => {
      for (const [first, second] of [
        ['ecdsa', 'rsa'],
        ['rsa', 'ecdsa'],
      ] as const) {
        const gateway = await gatewayWith([
          await files('first', ['first.test'], { kind: first }),
          await files('second', ['second.test'], { kind: second }),
        ]);
        const client = { port: gateway.port(), minVersion: version, maxVersion: version };
        for (const sigalgs of ['ECDSA+SHA256:RSA+SHA256:RSA-PSS+SHA256', 'RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA256']) {
          expect(await shakeHands({ ...client, sigalgs, name: 'second.test' })).toMatchObject({
            names: 'DNS:second.test',
          });
          expect(await shakeHands({ ...client, sigalgs, name: 'first.test' })).toMatchObject({
            names: 'DNS:first.test',
          });
          expect(await shakeHands({ ...client, sigalgs })).toMatchObject({ names: 'DNS:first.test' });
        }
        const cannot = second === 'rsa' ? 'ECDSA+SHA256' : 'RSA-PSS+SHA256:RSA+SHA256';
        await expect(shakeHands({ ...client, sigalgs: cannot, name: 'second.test' })).rejects.toThrow(
          /handshake failure/,
        );
      }
    },
  );

  test('plain HTTP on such a port gets a readable answer all the same', async () => {
    const gateway = await gatewayWith([
      await files('first', ['first.test']),
      await files('second', ['second.test'], { kind: 'rsa' }),
    ]);
    const reply = await exchangeRaw({ port: gateway.port() }, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('http-on-tls-port');
  });
});

describe('a certificate that is broken', () => {
  test('takes its own names out of service and nobody else', async () => {
    const broken = await files('broken', ['broken.test']);
    writeFileSync(broken.key, 'garbage');
    const gateway = await gatewayWith([await files('a', ['a.test']), broken]);
    expect(gateway.gateway.quarantined.map(({ message }) => message)).toEqual(['the file holds no PEM private key']);
    expect((await shown(gateway, 'a.test')).names).toBe('DNS:a.test');
    await expect(shown(gateway, 'broken.test')).rejects.toThrow();
  });

  test('leaves a listener open that refuses every handshake when there is no other', async () => {
    const gateway = await gatewayWith([{ certificate: join(directory, 'gone.pem'), key: join(directory, 'gone.key') }]);
    await expect(shown(gateway, 'a.test')).rejects.toThrow();
    await expect(shown(gateway)).rejects.toThrow();
  });

  test('is a configuration error for a strict gateway', async () => {
    const tls = { certificate: join(directory, 'gone.pem'), key: join(directory, 'gone.key') };
    const loaded = configFromObject({ listeners: { web: { port: 0, tls } }, admin: { port: 0 } });
    if (!loaded.ok) throw new Error('The configuration is meant to load');
    const options = { ...loaded, certificatesDirectory: directory, logLevel: 'silent' } as const;
    await expect(startGateway({ ...options, strict: true })).rejects.toThrow(/cannot read .*gone\.pem/);
  });
});
