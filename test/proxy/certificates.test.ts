import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { type Handshake, shakeHands } from '../kit/handshake.ts';
import { type MintOptions, mint } from '../kit/pki.ts';

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
});
