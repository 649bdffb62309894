import { describe, expect, test } from 'vitest';
import { type Frame, FrameClient } from '../kit/frame-client.ts';
import * as h2 from '../kit/h2-frames.ts';
import { ACK, CODE, END_STREAM, PREFACE, SETTING, TYPE } from '../kit/h2-frames.ts';
import { startListener } from '../kit/listener.ts';
import { type Case, FRAMES, FRAMING, HPACK, MESSAGES, STREAMS, type Verdict } from './http2-cases.ts';

/**
 * RFC 9113 and RFC 7541 frame by frame, in the order of their sections. What differs from the text differs in nghttp2 or Node;
 * docs/http2.md lists it with its price.
 */
async function listen(body = 'ok'): Promise<number> {
  const listener = await startListener({
    tls: true,
    handle: ({ request, requestBody, response }) => {
      if (request.target === '/open') return;
      requestBody.discard();
      response.respond({ status: 200, headers: [] }, Buffer.from(body));
    },
  });
  return listener.port;
}

function statusOf({ payload }: Frame): number {
  const short: Readonly<Record<number, number>> = { 136: 200, 137: 204, 140: 400, 141: 404 };
  const known = short[payload[0] ?? 0];
  if (known !== undefined) return known;
  // A literal whose name is :status (index 8), and its digits by Huffman's code.
  return payload.subarray(1, 4).toString('hex') === '826c01' ? 501 : 0;
}

async function judge(client: FrameClient, verdict: Verdict): Promise<void> {
  if ('ends' in verdict) {
    expect(await client.goodbye()).toBe(CODE[verdict.ends]);
    return;
  }
  if ('resets' in verdict) expect(await client.resetOf(1)).toBe(CODE[verdict.resets]);
  if ('answers' in verdict) {
    const head = await client.frame((frame) => frame.type === TYPE.headers && frame.stream === 1);
    expect(statusOf(head)).toBe(verdict.answers);
  }
  if ('goesOn' in verdict) expect(client.frames.filter(({ type }) => type === TYPE.reset)).toEqual([]);
  expect([await client.alive(), client.goaway]).toEqual([true, null]);
}

async function run({ send, verdict }: Case): Promise<void> {
  const client = await FrameClient.connect({ port: await listen() });
  client.send(...send);
  await judge(client, verdict);
}

describe('RFC 9113 §3.4: the connection preface', () => {
  test('SETTINGS are our first frame, and theirs are acknowledged', async () => {
    const client = await FrameClient.connect({ port: await listen() });
    expect(client.frames[0]).toMatchObject({ type: TYPE.settings, flags: 0, stream: 0 });
    const values = new Map<number, number>();
    const payload = client.frames[0]?.payload ?? Buffer.alloc(0);
    for (let i = 0; i < payload.length; i += 6) values.set(payload.readUInt16BE(i), payload.readUInt32BE(i + 2));
    expect(values.get(SETTING.maxConcurrentStreams)).toBe(128);
    expect(values.get(SETTING.initialWindowSize)).toBe(262_144);
    expect(values.get(SETTING.maxHeaderListSize)).toBe(65_536);
    expect(values.get(SETTING.enableConnectProtocol)).toBe(1);
  });

  test.each([
    ['a wrong preface', [Buffer.from('PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n')]],
    ['HTTP/1.1 where HTTP/2 was agreed on', [Buffer.from('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n')]],
    ['a preface without SETTINGS behind it', [PREFACE, h2.get(1)]],
  ])('%s ends the connection', async (_what, bytes) => {
    const client = await FrameClient.dial({ port: await listen() });
    client.send(...bytes);
    await client.goodbye();
    expect(client.frames.some(({ type }) => type === TYPE.headers)).toBe(false);
  });
});

describe('RFC 9113 §4: frames', () => {
  test.each(FRAMING)('$name', run);
});

describe('RFC 9113 §5: streams', () => {
  test.each(STREAMS)('$name', run);

  test('§5.1 closed by us: DATA and HEADERS are not taken for anything new', async () => {
    const client = await FrameClient.connect({ port: await listen() });
    client.send(h2.get(1));
    await client.frame(({ type, flags }) => type === TYPE.data && (flags & END_STREAM) !== 0);
    expect(await client.alive()).toBe(true);
    client.send(h2.data(1, 'x'), h2.get(1));
    await client.alive();
    expect(client.frames.filter(({ type }) => type === TYPE.headers)).toHaveLength(1);
  });

  test('§5.1.1 a stream number below one before opens nothing', async () => {
    const client = await FrameClient.connect({ port: await listen() });
    client.send(h2.get(5), h2.get(3));
    await client.frame(({ type, stream }) => type === TYPE.headers && stream === 5);
    await client.alive();
    expect(client.frames.some(({ stream }) => stream === 3)).toBe(false);
  });

  test('§5.1.2 more streams than SETTINGS allow are not served', async () => {
    const client = await FrameClient.connect({ port: await listen() });
    const open = h2.requestBlock([], { ':path': '/open' });
    client.send(...Array.from({ length: 129 }, (_, i) => h2.headers(2 * i + 1, open)));
    expect(await client.goodbye()).toBe(CODE.protocol);
  });
});

describe('RFC 9113 §6: frame by frame', () => {
  test.each(FRAMES)('$name', run);

  test('§6.5.3 SETTINGS are acknowledged in order', async () => {
    const client = await FrameClient.connect({ port: await listen() });
    const before = client.frames.length;
    client.send(h2.settings(), h2.settings([[SETTING.maxConcurrentStreams, 7]]));
    expect(await client.alive()).toBe(true);
    const acks = client.frames.slice(before).filter(({ type, flags }) => type === TYPE.settings && (flags & ACK) !== 0);
    expect(acks).toHaveLength(2);
  });

  test('§6.7 a PING is answered with its own octets', async () => {
    const client = await FrameClient.connect({ port: await listen() });
    client.send(h2.ping('\x00\x01\x02\x03abcd'));
    const answer = await client.frame(({ type }) => type === TYPE.ping);
    expect([answer.flags, answer.stream, answer.payload.toString('latin1')]).toEqual([ACK, 0, '\x00\x01\x02\x03abcd']);
  });

  test('§6.9 DATA waits for the window of the stream, and then for that of the connection', async () => {
    const client = await FrameClient.connect(
      { port: await listen('x'.repeat(70_000)) },
      h2.settings([[SETTING.initialWindowSize, 0]]),
    );
    client.send(h2.get(1));
    await client.frame(({ type }) => type === TYPE.headers);
    expect(await client.alive()).toBe(true);
    expect(sizes(client)).toEqual([]);
    client.send(h2.windowUpdate(1, 1));
    expect(await client.alive()).toBe(true);
    expect(sizes(client)).toEqual([1]);
    client.send(h2.windowUpdate(1, 100_000));
    await client.alive();
    expect(sum(sizes(client))).toBe(65_535);
    client.send(h2.windowUpdate(0, 100_000));
    await client.frame(({ type, flags }) => type === TYPE.data && (flags & END_STREAM) !== 0);
    expect(sum(sizes(client))).toBe(70_000);
  });

  test('§6.9.2 SETTINGS change the windows of open streams, below zero as well', async () => {
    const client = await FrameClient.connect(
      { port: await listen('x'.repeat(100)) },
      h2.settings([[SETTING.initialWindowSize, 30]]),
    );
    client.send(h2.get(1));
    await client.frame(({ type }) => type === TYPE.data);
    client.send(h2.settings([[SETTING.initialWindowSize, 10]]), h2.windowUpdate(1, 20));
    expect(await client.alive()).toBe(true);
    expect(sum(sizes(client))).toBe(30);
    client.send(h2.windowUpdate(1, 5));
    expect(await client.alive()).toBe(true);
    expect(sum(sizes(client))).toBe(35);
    client.send(h2.settings([[SETTING.initialWindowSize, 100]]));
    await client.frame(({ type, flags }) => type === TYPE.data && (flags & END_STREAM) !== 0);
    expect(sum(sizes(client))).toBe(100);
  });

  test('§4.2, §6.5.2 our frames are no larger than 16384 octets unless more was allowed', async () => {
    const client = await FrameClient.connect({ port: await listen('x'.repeat(50_000)) });
    client.send(h2.get(1));
    await client.frame(({ type, flags }) => type === TYPE.data && (flags & END_STREAM) !== 0);
    expect(Math.max(...sizes(client))).toBeLessThanOrEqual(16_384);
    expect(sum(sizes(client))).toBe(50_000);
  });
});

describe('RFC 9113 §8: messages', () => {
  test.each(MESSAGES)('$name', run);

  test.each([
    ['x y', '1'],
    ['x:y', '1'],
    ['x\r\ny', '1'],
    ['x', 'a\0b'],
    ['x', 'a\r\nb: c'],
    ['x', 'a\nb: c'],
    ['transfer-encoding', 'chunked\0'],
    ['content-length', '4\n'],
    ['host', 'evil.test\r'],
    ['x', ' a'],
    ['x', 'a\t'],
  ])('§8.2.1 %j: %j reaches nobody', async (name, value) => {
    const listener = await startListener({ tls: true });
    const client = await FrameClient.connect({ port: listener.port });
    client.send(h2.get(1, [[name, value]]), h2.get(3));
    const held = await listener.inbox.next();
    expect(held.exchange.request.authority).toBe('shop.test');
    // Refused, so that this is the one behind it, or taken without its field.
    expect(held.exchange.request.headers).toEqual([]);
  });
});

describe('RFC 7541: HPACK', () => {
  test.each(HPACK)('$name', run);

  test('§4.2, §6.3 a client that allows no table is told so before its next field, and gets none', async () => {
    const client = await FrameClient.connect({ port: await listen() }, h2.settings([[SETTING.headerTableSize, 0]]));
    client.send(h2.get(1));
    const head = await client.frame(({ type }) => type === TYPE.headers);
    expect(head.payload[0]).toBe(0x20);
  });
});

function sizes(client: FrameClient): number[] {
  return client.frames.filter(({ type }) => type === TYPE.data).map(({ payload }) => payload.length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
