import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CertificateStatus } from '../../src/control/certificates/certificate-status.ts';
import { inTime, until } from '../kit/deadline.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { secured, shakeHands } from '../kit/handshake.ts';
import { type Minted, mint } from '../kit/pki.ts';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-reload-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function at(...parts: string[]): string {
  return join(directory, ...parts);
}

/** `days` tells certificates for the same name apart. */
function certificate(days: number): Promise<Minted> {
  return mint({ names: ['a.test'], notAfter: new Date(Math.floor(Date.now() / 1000 + days * 86_400) * 1000) });
}

function write(into: string, { cert, key }: Pick<Minted, 'cert' | 'key'>): void {
  mkdirSync(into, { recursive: true });
  writeFileSync(join(into, 'tls.crt'), cert);
  writeFileSync(join(into, 'tls.key'), key);
}

function start(from: string): Promise<TestGateway> {
  const tls = { certificate: join(from, 'tls.crt'), key: join(from, 'tls.key') };
  return startTestGateway({ listeners: { web: { port: 0, tls } }, routes: [{ respond: { body: 'fine' } }] });
}

function status(gateway: TestGateway): CertificateStatus {
  return gateway.status().certificates[0] as CertificateStatus;
}

async function shows(gateway: TestGateway, expected: Minted): Promise<void> {
  const notAfter = expected.certificate.notAfter.toISOString();
  await until(() => status(gateway).notAfter === notAfter, 'the new certificate to be read');
  const shown = await shakeHands({ port: gateway.port(), name: 'a.test' });
  expect(shown.serialNumber.toLowerCase()).toBe(expected.certificate.serialNumber.toLowerCase());
}

async function get(socket: TLSSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('data', (bytes) => resolve(bytes.toString('latin1')));
  socket.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
  return inTime(promise, 'an answer');
}

describe('certificates are read again when their files change', () => {
  test('by an atomic replacement, and open connections go on', async () => {
    const [before, after] = [await certificate(50), await certificate(60)];
    write(directory, before);
    const gateway = await start(directory);
    const open = await secured({ port: gateway.port(), name: 'a.test' });
    expect(await get(open)).toContain('200 OK');
    write(at('next'), after);
    renameSync(at('next', 'tls.key'), at('tls.key'));
    renameSync(at('next', 'tls.crt'), at('tls.crt'));
    await shows(gateway, after);
    expect(await get(open)).toContain('200 OK');
    open.destroy();
  });

  test('by writing into them', async () => {
    const [before, after] = [await certificate(50), await certificate(60)];
    write(directory, before);
    const gateway = await start(directory);
    write(directory, after);
    await shows(gateway, after);
  });

  test('by turning a link to a directory, as Kubernetes does with secrets', async () => {
    const [before, after] = [await certificate(50), await certificate(60)];
    write(at('..2026_01'), before);
    symlinkSync('..2026_01', at('..data'));
    symlinkSync('..data/tls.crt', at('tls.crt'));
    symlinkSync('..data/tls.key', at('tls.key'));
    const gateway = await start(directory);
    write(at('..2026_02'), after);
    symlinkSync('..2026_02', at('..data_tmp'));
    renameSync(at('..data_tmp'), at('..data'));
    await shows(gateway, after);
  });

  test('by turning the links to the files, as certbot does', async () => {
    const [before, after] = [await certificate(50), await certificate(60)];
    write(at('archive', '1'), before);
    write(at('archive', '2'), after);
    mkdirSync(at('live'));
    for (const file of ['tls.crt', 'tls.key']) symlinkSync(at('archive', '1', file), at('live', file));
    const gateway = await start(at('live'));
    for (const file of ['tls.crt', 'tls.key']) {
      symlinkSync(at('archive', '2', file), at('live', `${file}.new`));
      renameSync(at('live', `${file}.new`), at('live', file));
    }
    await shows(gateway, after);
  });
});

describe('files that have become unusable', () => {
  test('change nothing that is shown, the status says so, and mending them is noticed', async () => {
    const [before, after] = [await certificate(50), await certificate(60)];
    write(directory, before);
    const gateway = await start(directory);
    write(directory, { cert: after.cert, key: 'garbage' });
    await until(() => status(gateway).problem !== null, 'the problem to be noticed');
    expect(status(gateway)).toMatchObject({ state: 'ok', problem: 'the file holds no PEM private key' });
    await shows(gateway, before);
    write(directory, after);
    await shows(gateway, after);
    expect(status(gateway).problem).toBeNull();
  });

  test('files that were missing at the start are used as soon as they are there', async () => {
    const gateway = await start(directory);
    expect(status(gateway)).toMatchObject({ state: 'quarantined', notAfter: null });
    const found = await certificate(50);
    write(directory, found);
    await shows(gateway, found);
  });
});
