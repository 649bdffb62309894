import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { HANDSHAKE_TIMEOUT_MS } from '../../src/downstream/tls/handshake.ts';
import type { HandleExchange } from '../../src/exchange/exchange.ts';
import { inTime, until } from '../kit/deadline.ts';
import { plainPolicy, shown, startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { visit } from '../kit/tls-visit.ts';

const answer: HandleExchange = ({ response }) => response.respond({ status: 204, headers: [] }, null);
/** What a client says first. */
async function clientHello(): Promise<Buffer> {
  const ears = createServer();
  stopAfterTest(() => ears.close());
  ears.listen(0, '127.0.0.1');
  await once(ears, 'listening');
  const socket = connect({ port: (ears.address() as AddressInfo).port, host: '127.0.0.1', servername: 'shop.test' });
  socket.on('error', () => {});
  stopAfterTest(() => socket.destroy());
  const [accepted] = (await once(ears, 'connection')) as [Socket];
  stopAfterTest(() => accepted.destroy());
  const [bytes] = (await once(accepted, 'data')) as [Buffer];
  return bytes;
}

const only = (version: 'TLSv1.2' | 'TLSv1.3') => ({ minVersion: version, maxVersion: version });

describe('what is agreed on', () => {
  test('by default TLS 1.3 with a post-quantum key exchange, for clients that know it', async () => {
    const { port } = await startListener({ tls: true, handle: answer });
    const visited = await visit({ port });
    expect(visited).toMatchObject({ protocol: 'TLSv1.3', group: 'X25519MLKEM768' });
  });

  test('our order of suites counts, but ChaCha20 goes first for clients that put it first', async () => {
    const { port } = await startListener({ tls: true, handle: answer });
    const chosen = async (...suites: readonly string[]): Promise<string> =>
      (await visit({ port, ciphers: suites.join(':') })).cipher;
    const [aes128, aes256, chacha] = [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
    ];
    expect(await chosen(aes256, chacha, aes128)).toBe(aes128);
    expect(await chosen(chacha, aes256, aes128)).toBe(chacha);
    expect(await chosen(aes256)).toBe(aes256);
    const ciphers = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256';
    expect((await visit({ port, ...only('TLSv1.2'), ciphers })).cipher).toContain('CHACHA20');
  });

  test('a client that has not sent a key for our favourite group is not sent round again', async () => {
    const { port } = await startListener({ tls: true, handle: answer });
    expect((await visit({ port, ecdhCurve: 'X25519:X25519MLKEM768' })).group).toMatch(/^x25519$/i);
    expect((await visit({ port, ecdhCurve: 'P-384' })).group).toMatch(/secp384r1|P-384/);
  });

  test('profile modern, as minVersion 1.3, speaks TLS 1.3 alone', async () => {
    for (const change of [{ profile: 'modern' }, { minVersion: '1.3' }] as const) {
      const policy = { ...plainPolicy, ...change };
      const policies = { current: () => policy };
      const { port, refusals } = await startListener({ tls: true, policies, handle: answer });
      expect((await visit({ port })).protocol).toBe('TLSv1.3');
      await expect(visit({ port, ...only('TLSv1.2') })).rejects.toThrow(/alert protocol version/);
      expect(refusals).toMatchObject([{ reason: 'unsupported-protocol' }]);
    }
  });
});

describe('a handshake that fails is logged with its peer and reason', () => {
  const cases: readonly (readonly [reason: string, client: Omit<ConnectionOptions, 'port'>, seen: RegExp])[] = [
    ['no-shared-cipher', { ...only('TLSv1.2'), ciphers: 'ECDHE-ECDSA-AES128-SHA' }, /alert handshake failure/],
    ['no-shared-cipher', { ...only('TLSv1.3'), ciphers: 'TLS_AES_128_CCM_SHA256' }, /alert handshake failure/],
    ['no-shared-group', { ...only('TLSv1.3'), ecdhCurve: 'secp521r1' }, /alert handshake failure/],
    ['no-shared-signature-algorithm', { ...only('TLSv1.3'), sigalgs: 'ed25519' }, /alert handshake failure/],
    ['no-shared-protocol', { ALPNProtocols: ['gopher'] }, /alert no application protocol/],
    [
      'unsupported-protocol',
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      /alert protocol version/,
    ],
  ];
  test.each(cases)('%s', async (reason, client, seen) => {
    const listener = await startListener({ tls: true });
    await expect(visit({ port: listener.port, ...client })).rejects.toThrow(seen);
    expect(await listener.refusal()).toMatchObject({ peer: '127.0.0.1', status: 0, reason });
    expect(listener.refusals).toHaveLength(1);
  });

  test('unrecognized-name, which the client is told by the alert of that name', async () => {
    const certificate = await shown();
    const certificateFor = (name: string | null) => (name === 'shop.test' ? certificate : null);
    const { port, refusals } = await startListener({ tls: true, certificates: { certificateFor }, handle: answer });
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      await expect(visit({ port, ...only(version), servername: 'bank.test' })).rejects.toThrow(/unrecognized name/);
      await expect(visit({ port, ...only(version), servername: '' })).rejects.toThrow(/alert handshake failure/);
      expect((await visit({ port, ...only(version) })).text).toContain('204');
    }
    expect(refusals.map(({ reason }) => reason)).toEqual(Array(4).fill('unrecognized-name'));
  });

  test('certificate-unavailable, when the certificate can’t be made, with what was wrong', async () => {
    const certificate = await shown();
    const certificateFor = (name: string | null) =>
      name === null ? certificate : Promise.reject(new Error('the CA is asleep'));
    const listener = await startListener({ tls: true, certificates: { certificateFor } });
    await expect(visit({ port: listener.port })).rejects.toThrow(/alert internal error/);
    expect(await listener.refusal()).toMatchObject({ reason: 'certificate-unavailable' });
    expect(listener.bugs).toMatchObject([{ message: 'the CA is asleep' }]);
    listener.forgetBugs();
  });

  test('a client’s own alert: it does not trust our authority', async () => {
    const listener = await startListener({ tls: true });
    const client = await RawClient.connect({ port: listener.port });
    await client.sendAll(await clientHello());
    await client.bytes(5);
    client.send(Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x30));
    await client.closed();
    expect(await listener.refusal()).toMatchObject({ peer: '127.0.0.1', reason: 'alert-unknown-ca' });
  });

  test('not-tls, which gets a readable answer as plain HTTP does', async () => {
    const { port, refusals } = await startListener({ tls: true });
    for (const text of ['MKCOL / HTTP/1.1\r\nHost: a\r\n\r\n', 'SSH-2.0-OpenSSH_9.2\r\n']) {
      const reply = await exchangeRaw({ port }, text);
      expect(reply.status).toBe(400);
      expect(reply.text).toContain('not-tls');
    }
    expect(refusals).toMatchObject([{ status: 400, reason: 'not-tls' }, { reason: 'not-tls' }]);
  });

  test('handshake-abandoned, by a client that had begun', async () => {
    const listener = await startListener({ tls: true });
    const client = await RawClient.connect({ port: listener.port });
    await client.sendAll('\x16\x03\x01\x02\x00\x01');
    await until(() => listener.listener.connections === 1, 'the connection');
    client.halfClose();
    expect(await listener.refusal()).toMatchObject({ peer: '127.0.0.1', reason: 'handshake-abandoned' });
  });

  test('handshake-timeout, however many bytes trickle in', async () => {
    const clock = new ManualClock();
    const listener = await startListener({ tls: true, clock });
    const client = await RawClient.connect({ port: listener.port });
    for (const byte of '\x16\x03\x01\x02\x00\x01') {
      await client.sendAll(byte);
      clock.advance(HANDSHAKE_TIMEOUT_MS / 6);
    }
    expect(listener.refusals).toEqual([]);
    clock.advance(1_000);
    await client.closed();
    expect(listener.refusals).toMatchObject([{ peer: '127.0.0.1', reason: 'handshake-timeout' }]);
  });
});

test('a client that connects and leaves, as health checks do, is nothing to log', async () => {
  const { port, listener, refusals } = await startListener({ tls: true });
  for (const leave of ['halfClose', 'reset'] as const) {
    const client = await RawClient.connect({ port });
    await until(() => listener.connections === 1, 'the connection');
    client[leave]();
    await client.closed();
    await until(() => listener.connections === 0, 'it to be gone');
  }
  expect(refusals).toEqual([]);
});

test('a client of TLS 1.2 can’t renegotiate', async () => {
  const { port } = await startListener({ tls: true });
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...only('TLSv1.2') });
  stopAfterTest(() => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  socket.on('error', resolve);
  socket.on('secureConnect', () => socket.renegotiate({}, resolve));
  expect(String(await inTime(promise, 'the answer'))).toMatch(/no renegotiation/);
});
