import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import type { BodySink, ByteChannel } from '../../../src/exchange/body.ts';
import { attempt, begin, destination, type Heard, send, transportOf } from '../../kit/attempt.ts';
import { type Origin, origin } from '../../kit/origin.ts';
import type { Step } from '../../kit/script.ts';

const handshake = [
  'Host',
  'shop.test',
  'Sec-WebSocket-Key',
  'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version',
  '13',
  'Sec-WebSocket-Extensions',
  'permessage-deflate; client_max_window_bits',
  'Origin',
  'https://shop.test',
];

async function upgrade(server: Origin): Promise<Heard> {
  return send(transportOf(), attempt(destination(server.port), { headers: handshake, upgrade: 'websocket' }));
}

function agreeing(...steps: Step[]): { script: Step[] } {
  return {
    script: [
      'read head',
      { upgrade: 'websocket', headers: ['Sec-WebSocket-Accept', 's3pPLMBi'], first: 'first ' },
      ...steps,
    ],
  };
}

/** Collects what comes out of a channel. */
class Ear implements BodySink {
  onDrain: (() => void) | null = null;
  text = '';
  bytes = 0;
  accepting = true;
  ended: 'end' | 'fail' | null = null;
  error: GatewayError | null = null;
  #wake: (() => void)[] = [];

  data(chunk: Uint8Array): boolean {
    this.bytes += chunk.length;
    if (this.bytes < 100_000) this.text += Buffer.from(chunk).toString('latin1');
    this.#changed();
    return this.accepting;
  }

  end(): void {
    this.ended = 'end';
    this.#changed();
  }

  fail(cause: GatewayError): void {
    this.ended = 'fail';
    this.error = cause;
    this.#changed();
  }

  async until(met: () => boolean): Promise<void> {
    while (!met()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function listen(channel: ByteChannel | null): Ear {
  const ear = new Ear();
  channel?.source.pipe(ear);
  return ear;
}

test('the handshake goes out untouched, with the fields that ask for the switch', async () => {
  const server = await origin(agreeing('silent'));
  const heard = await upgrade(server);
  expect(heard.calls).toEqual(['sent', 'upgraded']);
  expect(heard.head_).toEqual({
    status: 101,
    headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket', 'Sec-WebSocket-Accept', 's3pPLMBi'],
  });
  const received = server.received[0];
  expect([received?.header('connection'), received?.header('upgrade')]).toEqual(['upgrade', 'websocket']);
  expect(received?.lines.slice(-4)).toEqual([
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Origin: https://shop.test',
  ]);
  heard.channel?.source.discard();
  await server.closed(1);
});

test('bytes right behind the 101 are not lost, however late somebody listens', async () => {
  const server = await origin(agreeing({ send: 'second ' }, 'echo'));
  const heard = await upgrade(server);
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
  const ear = listen(heard.channel);
  heard.channel?.sink.data(Buffer.from('hello'));
  await ear.until(() => ear.text.endsWith('hello'));
  expect(ear.text).toBe('first second hello');
  heard.channel?.sink.end(null);
  await ear.until(() => ear.ended !== null);
  expect(ear.ended).toBe('end');
  await server.closed(1);
});

test('a refusal is an ordinary response', async () => {
  const server = await origin({
    script: [{ respond: 401, headers: ['WWW-Authenticate', 'Basic', 'WWW-Authenticate', 'Bearer'], body: 'no' }],
  });
  const heard = await upgrade(server);
  expect(heard.calls).toEqual(['sent', 'head', 'data', 'end']);
  expect([heard.status, heard.body, heard.head_?.headers.slice(0, 4)]).toEqual([
    401,
    'no',
    ['WWW-Authenticate', 'Basic', 'WWW-Authenticate', 'Bearer'],
  ]);
  await server.closed(1);
});

test('an endpoint that ignores the wish answers as usual', async () => {
  const server = await origin({ script: ['read head', { send: 'HTTP/1.1 200 OK\r\n\r\nplain' }, 'end'] });
  const heard = await upgrade(server);
  expect([heard.status, heard.body, heard.calls.at(-1)]).toEqual([200, 'plain', 'end']);
});

describe('a connection that dies during the handshake', () => {
  test.each(['reset', 'end', 'close'] as const)('by %s is a failure of the attempt', async (how) => {
    const server = await origin({ script: ['read head', how] });
    const heard = await upgrade(server);
    expect(heard.error?.code).toBe('connection_terminated');
  });

  test('because the client left is closed', async () => {
    const server = await origin({ script: ['read head', 'silent'] });
    const { heard, inFlight } = begin(
      transportOf(),
      attempt(destination(server.port), { headers: handshake, upgrade: 'websocket' }),
    );
    await server.request();
    inFlight.cancel();
    await server.closed(1);
    expect(heard.calls).toEqual(['sent']);
  });
});

describe('an upgraded connection', () => {
  test('that the endpoint resets fails once, with no listener left out', async () => {
    const server = await origin(agreeing('read 4 bytes', 'reset'));
    const heard = await upgrade(server);
    const ear = listen(heard.channel);
    heard.channel?.sink.data(Buffer.from('ping'));
    await ear.until(() => ear.ended !== null);
    expect([ear.ended, ear.error?.code, ear.error?.blame]).toEqual(['fail', 'connection_terminated', 'upstream']);
    // Late writes to a dead tunnel are nobody's error.
    expect(heard.channel?.sink.data(Buffer.from('late'))).toBe(true);
    heard.channel?.sink.end(null);
  });

  test('that is reset before anybody listens says so to who listens then', async () => {
    const server = await origin({ script: ['read head', { upgrade: 'websocket' }, 'reset'] });
    const heard = await upgrade(server);
    heard.channel?.sink.data(Buffer.from('x'));
    for (let i = 0; i < 10; i += 1) {
      heard.channel?.sink.data(Buffer.from('x'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const ear = listen(heard.channel);
    await ear.until(() => ear.ended !== null);
    expect(ear.ended).toBe('fail');
  });

  test('half-closed by the endpoint still takes what we send', async () => {
    const server = await origin(agreeing('end', 'read 4 bytes', 'read end'));
    const heard = await upgrade(server);
    const ear = listen(heard.channel);
    await ear.until(() => ear.ended !== null);
    expect([ear.text, ear.ended]).toEqual(['first ', 'end']);
    heard.channel?.sink.data(Buffer.from('late'));
    heard.channel?.sink.end(null);
    await server.closed(1);
    expect(server.received[0]?.text).toBe('late');
  });

  test('failed by us is closed at once', async () => {
    const server = await origin(agreeing('silent'));
    const heard = await upgrade(server);
    heard.channel?.sink.fail(new GatewayError('http_request_error', { blame: 'client', status: 499, reason: 'x' }));
    await server.closed(1);
  });

  test('holds back an endpoint that sends more than is taken, and goes on after that', async () => {
    const size = 32 * 1024 * 1024;
    const server = await origin(agreeing({ fill: size }, 'end', 'read end'));
    const heard = await upgrade(server);
    const ear = new Ear();
    ear.accepting = false;
    heard.channel?.source.pipe(ear);
    let stops = 0;
    while (ear.ended === null) {
      const before = ear.bytes;
      for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
      if (!ear.accepting && ear.bytes - before > 1024 * 1024) throw new Error('More came than was asked for');
      stops += 1;
      ear.onDrain?.();
      if (stops === 20) ear.accepting = true;
    }
    expect([ear.bytes, ear.ended]).toEqual([size + 6, 'end']);
    heard.channel?.sink.end(null);
    await server.closed(1);
  });

  test('says when its endpoint takes no more, and when again', async () => {
    let resume = () => {};
    const later = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const server = await origin(agreeing('stop reading', { wait: later }, 'resume reading', 'read end'));
    const heard = await upgrade(server);
    const { channel } = heard;
    if (channel === null) throw new Error('No channel');
    const drained = new Promise<void>((resolve) => {
      channel.sink.onDrain = resolve;
    });
    while (channel.sink.data(Buffer.alloc(64 * 1024)));
    resume();
    await drained;
    channel.sink.end(null);
    const ear = listen(channel);
    await ear.until(() => ear.ended !== null);
    await server.closed(1);
  });

  test('counts against the limit until it is closed', async () => {
    const server = await origin({ scripts: [['read head', { upgrade: 'websocket' }, 'silent'], ['respond 200']] });
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 1 });
    const heard = await send(out, attempt(to, { headers: handshake, upgrade: 'websocket' }));
    const waiting = begin(out, attempt(to));
    expect(out.connections(to.connectionKey)).toEqual({ open: 1, busy: 1, queued: 1 });
    heard.channel?.source.discard();
    await waiting.heard.over;
    expect(waiting.heard.status).toBe(200);
  });
});
