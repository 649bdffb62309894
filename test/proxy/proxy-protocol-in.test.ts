import { describe, expect, test } from 'vitest';
import type { Client } from '../../src/exchange/exchange.ts';
import { H2Client } from '../kit/h2-client.ts';
import { startListener, type TestListener, type TestListenerOptions } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { headerV2, PROXIED_V1, PROXIED_V2, vector } from '../kit/proxy-protocol.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n';
const PROXY = '127.0.0.1';
const STRANGER = '127.0.0.2';

function introduced(options: TestListenerOptions = {}): Promise<TestListener> {
  const over = { proxyProtocol: true, trustedProxies: [PROXY], ...options.over };
  return startListener({ ...options, over });
}

/** What the next request of `listener` says of its client; it is answered. */
async function nextClient({ inbox }: TestListener): Promise<Client> {
  const held = await inbox.next();
  held.respond(204);
  return held.exchange.client;
}

const relayed = {
  address: '203.0.113.9',
  peer: '203.0.113.9',
  peerPort: 51_234,
  trusted: false,
  forwardedBy: 'x-forwarded-for',
  localAddress: '198.51.100.1',
  localPort: 8443,
};

const versions = [
  ['v1', PROXIED_V1],
  ['v2', PROXIED_V2],
] as const;

describe.each(versions)('a PROXY header %s of a trusted peer', (_version, header) => {
  /** Every place where it may be cut in two, the ends included: then the rest comes with it, or it comes with the rest. */
  const splits = Array.from({ length: header.length + 1 }, (_, at) => [header.subarray(0, at), header.subarray(at)]);

  test('names the client of plain HTTP, wherever the bytes are cut', async () => {
    const listener = await introduced();
    for (const [first = header, rest = header] of splits) {
      const client = await RawClient.connect({ port: listener.port, preamble: [first] });
      client.send(Buffer.concat([rest, Buffer.from(get)]));
      expect(await nextClient(listener)).toEqual({ ...relayed, tls: null });
      expect((await client.response('GET')).status).toBe(204);
    }
  });

  test('names the client of TLS, wherever the bytes are cut', async () => {
    const listener = await introduced({ tls: true });
    for (const preamble of splits) {
      const reply = exchangeRaw({ port: listener.port, preamble, tls: { serverName: 'shop.test' } }, get);
      const client = await nextClient(listener);
      expect(client).toMatchObject(relayed);
      expect(client.tls).toMatchObject({ serverName: 'shop.test', protocol: 'TLSv1.3' });
      expect((await reply).status).toBe(204);
    }
  });

  test('names the client of HTTP/2', async () => {
    const listener = await introduced({ tls: true });
    for (const preamble of [[header], splits[3] ?? []]) {
      const client = await H2Client.connect({ port: listener.port, preamble });
      const reply = client.request({ ':path': '/', ':authority': 'shop.test' });
      expect(await nextClient(listener)).toMatchObject(relayed);
      expect((await reply).status).toBe(204);
    }
  });

  test('names the client of HTTP/2 by prior knowledge, wherever the bytes are cut', async () => {
    const listener = await introduced({ over: { h2c: true } });
    for (const preamble of splits) {
      const client = await H2Client.connect({ port: listener.port, scheme: 'http', preamble });
      const reply = client.request({ ':path': '/', ':authority': 'shop.test' });
      expect(await nextClient(listener)).toEqual({ ...relayed, tls: null });
      expect((await reply).status).toBe(204);
      client.session.destroy();
    }
  });

  test('and a request, and a second one behind it, may all come at once, byte by byte', async () => {
    const listener = await introduced();
    const whole = Buffer.concat([header, Buffer.from(get + get)]);
    const client = await RawClient.connect({ port: listener.port });
    for (const byte of whole) await client.sendAll(Uint8Array.of(byte));
    for (let i = 0; i < 2; i += 1) {
      expect(await nextClient(listener)).toMatchObject(relayed);
      expect((await client.response('GET')).status).toBe(204);
    }
  });

  test('of nobody else is looked at: theirs is no request, and no handshake', async () => {
    const plain = await introduced();
    const client = await RawClient.connect({ port: plain.port, localAddress: STRANGER });
    client.send(Buffer.concat([header, Buffer.from(get)]));
    await client.closed();
    expect((await plain.refusal()).peer).toBe(STRANGER);
    const secure = await introduced({ tls: true });
    const other = await RawClient.connect({ port: secure.port, localAddress: STRANGER });
    other.send(header);
    await other.closed();
    expect((await secure.refusal()).peer).toBe(STRANGER);
    expect([plain.inbox.held, secure.inbox.held]).toEqual([[], []]);
  });

  test('is not expected where the listener does not say so', async () => {
    const listener = await introduced({ over: { proxyProtocol: false } });
    const client = await RawClient.connect({ port: listener.port });
    client.send(Buffer.concat([header, Buffer.from(get)]));
    await client.closed();
    expect((await listener.refusal()).status).toBeGreaterThanOrEqual(400);
  });
});

describe('a listener with proxyProtocol', () => {
  test('serves everybody who is not trusted as ever', async () => {
    const listener = await introduced();
    const reply = exchangeRaw({ port: listener.port, localAddress: STRANGER }, get);
    expect(await nextClient(listener)).toMatchObject({ address: STRANGER, peer: STRANGER, trusted: false });
    expect((await reply).status).toBe(204);
  });

  test.each([
    ['LOCAL', headerV2(0x20, 0)],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
    ['unspecified', headerV2(0x21, 0)],
  ])('takes a connection of the proxy’s own (%s) for what it is', async (_, header) => {
    const listener = await introduced();
    const reply = exchangeRaw({ port: listener.port, preamble: [header] }, get);
    const { localPort, ...client } = await nextClient(listener);
    expect(client).toMatchObject({ address: PROXY, peer: PROXY, trusted: true, localAddress: PROXY });
    expect(localPort).toBe(listener.port);
    expect((await reply).status).toBe(204);
  });

  test('believes X-Forwarded-For of the source that the header names, not of the proxy that sends it', async () => {
    const said = 'GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 192.0.2.77\r\n\r\n';
    const trusting = await introduced({ over: { trustedProxies: [PROXY, '203.0.113.0/24'] } });
    const believed = exchangeRaw({ port: trusting.port, preamble: [PROXIED_V1] }, said);
    expect(await nextClient(trusting)).toMatchObject({ address: '192.0.2.77', peer: '203.0.113.9', trusted: true });
    await believed;
    const listener = await introduced();
    const ignored = exchangeRaw({ port: listener.port, preamble: [PROXIED_V1] }, said);
    expect(await nextClient(listener)).toMatchObject({ address: '203.0.113.9', trusted: false });
    await ignored;
  });

  test('knows the TLS that the client spoke to the proxy, unless it speaks TLS itself', async () => {
    const words = [vector(0x21, Buffer.from('TLSv1.3')), vector(0x23, Buffer.from('TLS_AES_128_GCM_SHA256'))];
    const tls = vector(0x20, Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), ...words]));
    const rest = Buffer.concat([PROXIED_V2.subarray(16), vector(2, Buffer.from('shop.test')), tls]);
    const preamble = [headerV2(0x21, 0x11, rest)];
    const plain = await introduced();
    const reply = exchangeRaw({ port: plain.port, preamble }, get);
    const held = await plain.inbox.next();
    expect(held.exchange.request.scheme).toBe('https');
    expect(held.exchange.client.tls).toMatchObject({
      serverName: 'shop.test',
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_128_GCM_SHA256',
    });
    held.respond(204);
    await reply;
    const secure = await introduced({ tls: true });
    const other = exchangeRaw({ port: secure.port, preamble, tls: { serverName: 'localhost' } }, get);
    expect((await nextClient(secure)).tls?.serverName).toBe('localhost');
    await other;
  });

  test('tells the addresses of IPv6 in their canonical text, and mapped ones as IPv4', async () => {
    const listener = await introduced();
    const header = Buffer.from('PROXY TCP6 2001:DB8:0:0:0:0:0:9 ::FFFF:198.51.100.1 1 2\r\n');
    const reply = exchangeRaw({ port: listener.port, preamble: [header] }, get);
    expect(await nextClient(listener)).toMatchObject({ peer: '2001:db8::9', localAddress: '198.51.100.1' });
    await reply;
  });

  test.each([
    ['missing', get],
    ['missing', '\x16\x03\x01\x02\x00'],
    ['malformed', 'PROXY TCP4 203.0.113.9 198.51.100.1 1\r\n'],
    ['too-long', `PROXY ${'x'.repeat(200)}`],
    ['version', '\r\n\r\n\0\r\nQUIT\n\x11'],
  ])('closes a trusted peer’s connection without an answer when the header is %s: %j', async (reason, bytes) => {
    const listener = await introduced();
    const client = await RawClient.connect({ port: listener.port });
    client.send(bytes);
    expect(await client.rest()).toBe('');
    expect(await listener.refusal()).toMatchObject({ peer: PROXY, status: 0, reason: `proxy-header-${reason}` });
    expect(listener.inbox.held).toEqual([]);
  });

  test('says so when a connection ends within the header, and nothing when it ends before it', async () => {
    const listener = await introduced();
    const check = await RawClient.connect({ port: listener.port });
    check.halfClose();
    await check.closed();
    const client = await RawClient.connect({ port: listener.port });
    await client.sendAll('PROXY ');
    client.halfClose();
    await client.closed();
    expect(await listener.refusal()).toMatchObject({ reason: 'proxy-header-incomplete' });
    expect(listener.refusals).toHaveLength(1);
  });

  test('waits for the header as long as for a request’s head', async () => {
    const clock = new ManualClock();
    const listener = await introduced({ clock, limits: { headTimeout: 3_000 } });
    const client = await RawClient.connect({ port: listener.port });
    await client.sendAll('PROXY TCP4');
    clock.advance(3_000);
    expect(listener.refusals).toEqual([]);
    clock.advance(1_500);
    expect(await listener.refusal()).toMatchObject({ reason: 'proxy-header-timeout' });
    await client.closed();
  });

  test('counts connections for the client that the header names, and none for the proxy', async () => {
    const listener = await introduced({ limits: { connectionsPerAddress: 2 } });
    const open = () => RawClient.connect({ port: listener.port, preamble: [PROXIED_V1] });
    const other = Buffer.from('PROXY TCP4 203.0.113.10 198.51.100.1 1 2\r\n');
    const first = await open();
    for (const client of [first, await open()]) {
      client.send(get);
      await nextClient(listener);
      await client.response('GET');
    }
    expect(await (await open()).rest()).toBe('');
    expect(await listener.refusal()).toMatchObject({ peer: '203.0.113.9', reason: 'address-connection-limit' });
    // Somebody else’s, through the same proxy.
    const reply = exchangeRaw({ port: listener.port, preamble: [other] }, get);
    await nextClient(listener);
    expect((await reply).status).toBe(204);
    // And again the first one’s, as soon as it has left.
    first.destroy();
    await first.closed();
    const again = exchangeRaw({ port: listener.port, preamble: [PROXIED_V1] }, get);
    await nextClient(listener);
    expect((await again).status).toBe(204);
  });

  test('lets go of connections without a header when it drains', async () => {
    const { listener, port } = await introduced();
    const client = await RawClient.connect({ port });
    await client.sendAll('PROXY ');
    const drained = listener.drain(10_000);
    await client.closed();
    await drained;
    expect(listener.connections).toBe(0);
  });

  test('names the client when its handshake fails', async () => {
    const listener = await introduced({ tls: true });
    const client = await RawClient.connect({ port: listener.port, preamble: [PROXIED_V2] });
    client.send(get);
    expect(await client.rest()).toContain('http-on-tls-port');
    expect(await listener.refusal()).toMatchObject({ peer: '203.0.113.9', reason: 'http-on-tls-port' });
  });
});
