import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { shakeHands } from '../kit/handshake.ts';
import { ocspResponse } from '../kit/ocsp.ts';
import { type Minted, type MintOptions, mint } from '../kit/pki.ts';
import { stopAfterTest } from '../kit/stop.ts';

let directory = '';
let root: Minted;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-ocsp-'));
  root = await mint({ names: null, commonName: 'Root' });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

let count = 0;

function write({ cert, key }: Minted): { certificate: string; key: string } {
  count += 1;
  const files = { certificate: join(directory, `${count}.pem`), key: join(directory, `${count}-key.pem`) };
  writeFileSync(files.certificate, `${cert}${root.cert}`);
  writeFileSync(files.key, key);
  return files;
}

interface Responder {
  readonly url: string;
  readonly requests: readonly string[];
  /** Responses by the serial number that is asked about, as upper-case hexadecimal digits. */
  readonly responses: Map<string, Buffer>;
}

async function responder(): Promise<Responder> {
  const requests: string[] = [];
  const responses = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    requests.push(`${request.method} ${request.headers['content-type']}`);
    const asked = [...responses].find(([serial]) => body.includes(Buffer.from(serial, 'hex')));
    response.writeHead(asked === undefined ? 404 : 200, { 'Content-Type': 'application/ocsp-response' });
    response.end(asked?.[1]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp`, requests, responses };
}

/** A certificate that names `responder`, which knows it as good. */
async function known(name: string, { url, responses }: Responder, over: Partial<MintOptions> = {}): Promise<Minted> {
  const leaf = await mint({ names: [name], issuer: root, ocsp: url, ...over });
  responses.set(leaf.certificate.serialNumber, ocspResponse({ of: leaf, issuer: root }));
  return leaf;
}

function start(certificates: readonly Minted[], ocspStapling = true): Promise<TestGateway> {
  const tls = { certificates: certificates.map(write), ocspStapling };
  return startTestGateway({ listeners: { web: { port: 0, tls } }, routes: [{ respond: { body: 'fine' } }] });
}

function status(gateway: TestGateway, index = 0) {
  return gateway.status().certificates[index]?.ocsp;
}

test('clients that ask for it get the OCSP response of the certificate that they are shown', async () => {
  const server = await responder();
  const [first, second] = [await known('first.test', server), await known('second.test', server, { kind: 'rsa' })];
  const gateway = await start([first, second]);
  await until(() => status(gateway) === 'stapled' && status(gateway, 1) === 'stapled', 'both responses');
  const client = { port: gateway.port(), requestOCSP: true };
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const shown = [
      await shakeHands({ ...client, maxVersion, name: 'first.test' }),
      await shakeHands({ ...client, maxVersion, name: 'second.test' }),
      await shakeHands({ ...client, maxVersion }),
    ];
    const responses = [first, second, first].map(({ certificate }) => server.responses.get(certificate.serialNumber));
    expect(shown.map(({ ocspResponse }) => ocspResponse)).toEqual(responses);
  }
  expect((await shakeHands({ port: gateway.port(), name: 'first.test' })).ocspResponse).toBeNull();
  expect(server.requests).toEqual(Array(2).fill('POST application/ocsp-request'));
});

test('handshakes do not wait for a responder that does not answer, nor for one that is wrong', async () => {
  const server = await responder();
  const leaf = await known('a.test', server);
  const other = await known('b.test', server);
  server.responses.set(leaf.certificate.serialNumber, ocspResponse({ of: other, issuer: root }));
  const gateway = await start([leaf]);
  await until(() => server.requests.length === 1, 'the request');
  const shown = await shakeHands({ port: gateway.port(), name: 'a.test', requestOCSP: true });
  expect(shown).toMatchObject({ names: 'DNS:a.test', ocspResponse: null });
  expect(status(gateway)).toBe('missing');
});

test('nobody is asked when stapling is switched off, or a certificate names no responder', async () => {
  const server = await responder();
  const off = await start([await known('a.test', server)], false);
  expect(status(off)).toBeNull();
  const silent = await start([await mint({ names: ['a.test'], issuer: root })]);
  expect(status(silent)).toBeNull();
  const shown = await shakeHands({ port: silent.port(), name: 'a.test', requestOCSP: true });
  expect(shown.ocspResponse).toBeNull();
  expect(server.requests).toEqual([]);
});
