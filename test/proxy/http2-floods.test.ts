import { describe, expect, test } from 'vitest';
import { SESSION_WINDOW_BYTES, STREAM_WINDOW_BYTES, UNREAD_STREAMS } from '../../src/downstream/http2/upload-window.ts';
import { GatewayError } from '../../src/errors.ts';
import { until } from '../kit/deadline.ts';
import { ExchangeInbox, StallingSink } from '../kit/exchange-inbox.ts';
import { type Frame, FrameClient } from '../kit/frame-client.ts';
import { H2Client } from '../kit/h2-client.ts';
import * as h2 from '../kit/h2-frames.ts';
import { CODE, TYPE } from '../kit/h2-frames.ts';
import { startListener, type TestListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';

type Options = Parameters<typeof startListener>[0];

/** A listener with one client who means well and one who does not. What asks for `/fine` is answered at once. */
class Siege {
  readonly clock: ManualClock;
  readonly listener: TestListener;
  readonly inbox: ExchangeInbox;
  readonly attacker: FrameClient;
  readonly #neighbour: H2Client;

  private constructor(parts: {
    clock: ManualClock;
    listener: TestListener;
    inbox: ExchangeInbox;
    attacker: FrameClient;
    neighbour: H2Client;
  }) {
    this.clock = parts.clock;
    this.listener = parts.listener;
    this.inbox = parts.inbox;
    this.attacker = parts.attacker;
    this.#neighbour = parts.neighbour;
  }

  static async start(options: Options = {}, own?: Buffer): Promise<Siege> {
    const clock = new ManualClock();
    const inbox = new ExchangeInbox();
    const listener = await startListener({
      tls: true,
      clock,
      handle: (exchange) => {
        if (exchange.request.target === '/fine') exchange.response.respond({ status: 204, headers: [] }, null);
        else inbox.handle(exchange);
      },
      ...options,
    });
    const neighbour = await H2Client.connect({ port: listener.port });
    const attacker = await FrameClient.connect({ port: listener.port }, own);
    return new Siege({ clock, listener, inbox, attacker, neighbour });
  }

  /** Sends what `make` makes, round after round, until the connection is closed. Fails if it never is. */
  async flood(make: (round: number) => Buffer, rounds = 200): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await this.attacker.sendAll(make(round));
      if (!(await this.attacker.alive())) return;
    }
    throw new Error(`Nobody minded ${rounds} rounds`);
  }

  /** The same, for what is found at a sweep only. */
  floodUntilSweep(make: (round: number) => Buffer, rounds = 200): Promise<void> {
    return this.flood((round) => {
      if (round % 10 === 9) this.clock.advance(500);
      return make(round);
    }, rounds);
  }

  /** Others are served, and the connection ended for this reason, with this code if the attacker's own flood lets it hear it. */
  async repelled(reason: string | RegExp, code: number | null = null): Promise<void> {
    const goodbye = await this.attacker.goodbye();
    if (code !== null) expect(goodbye).toBe(code);
    expect(await this.listener.refusal()).toEqual({
      listener: 'web',
      peer: '127.0.0.1',
      status: 0,
      reason: typeof reason === 'string' ? reason : expect.stringMatching(reason),
    });
    await until(() => this.listener.listener.connections === 1, 'the connection to be gone');
    await this.fine();
    for (const held of this.inbox.held) await held.closed();
  }

  /** Others are served. */
  async fine(): Promise<void> {
    expect((await this.#neighbour.request({ ':path': '/fine' })).status).toBe(204);
  }
}

function times(count: number, make: (i: number) => Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
}

/** `perRound` streams each round, with ids that rise from 1. */
function streams(perRound: number, make: (stream: number) => Uint8Array): (round: number) => Buffer {
  return (round) => times(perRound, (i) => make(2 * (round * perRound + i) + 1));
}

/** A field of 4 KiB that goes into the HPACK table, and 8000 references to it. */
function bomb(): Buffer {
  const field = Buffer.concat([Buffer.from([0x40]), h2.integer(1, 7), Buffer.from('a'), h2.integer(3_900, 7)]);
  return Buffer.concat([h2.requestBlock(), field, Buffer.alloc(3_900, 'a'), Buffer.alloc(8_000, 0xbe)]);
}

function padded(length: number): Buffer {
  return h2.frame(TYPE.data, h2.PADDED, 1, Buffer.concat([Buffer.from([length, 0x78]), Buffer.alloc(length)]));
}

const slow = new GatewayError('http_request_error', { blame: 'client', status: 408, reason: 'body-too-slow' });
const broken = new GatewayError('connection_terminated', { blame: 'upstream', status: 502, reason: 'upstream-reset' });

const requestAndReset = (stream: number) => Buffer.concat([h2.get(stream), h2.reset(stream)]);

describe('resets', () => {
  test('rapid reset (CVE-2023-44487): after a thousand the session is over', async () => {
    const siege = await Siege.start();
    await siege.flood(streams(100, requestAndReset), 11);
    await siege.repelled('http2-reset-flood', CODE.calm);
  });

  test('rapid reset in one breath is stopped by the same name', async () => {
    const siege = await Siege.start();
    await siege.flood(streams(5_000, requestAndReset), 1);
    await siege.repelled(/^http2-(reset|stream)-flood$/);
  });

  test.each([
    [
      'a body that ends before its content-length',
      (stream: number) => Buffer.concat([h2.post(stream, [['content-length', '10']]), h2.data(stream, 'abc')]),
      'http2-invalid-frames',
    ],
    ['a field name in upper case', (stream: number) => h2.get(stream, [['Upper', 'x']]), 'http2-invalid-frames'],
    [
      'a window that overflows',
      (stream: number) => Buffer.concat([h2.get(stream), h2.windowUpdate(stream, 2 ** 31 - 1)]),
      'http2-flow-control',
    ],
    [
      'a window that grows by nothing',
      (stream: number) => Buffer.concat([h2.get(stream), h2.windowUpdate(stream, 0)]),
      'http2-protocol-error',
    ],
    [
      'DATA after the end',
      (stream: number) => Buffer.concat([h2.get(stream), h2.data(stream, 'x')]),
      'http2-protocol-error',
    ],
    [
      'HEADERS after the end',
      (stream: number) => Buffer.concat([h2.get(stream), h2.get(stream)]),
      'http2-stream-closed',
    ],
    [
      'PRIORITY of a wrong size',
      (stream: number) => Buffer.concat([h2.get(stream), h2.frame(TYPE.priority, 0, stream, Buffer.alloc(4))]),
      'http2-protocol-error',
    ],
  ])('resets that a client makes us send count too (CVE-2025-8671): %s', async (_what, make, reason) => {
    const siege = await Siege.start();
    await siege.flood(streams(50, make), 21);
    await siege.repelled(reason);
  });

  test('so do those of streams that we ended because their bodies came too slowly', async () => {
    const siege = await Siege.start({ over: { profile: 'edge' }, limits: { streams: 1200 } });
    await siege.attacker.sendAll(streams(1_100, (stream) => h2.post(stream))(0));
    await until(() => siege.inbox.held.length === 1_100, 'the streams');
    // As the engine does it when the body of an exchange under way fails: a reset for the client's own failure.
    for (const held of siege.inbox.held) {
      held.exchange.response.start({ status: 200, headers: [] });
      held.exchange.response.fail(slow);
    }
    await siege.repelled('http2-reset-flood', CODE.calm);
  });

  test('but not those that an endpoint is to blame for', async () => {
    const siege = await Siege.start({ limits: { streams: 1200 } });
    await siege.attacker.sendAll(streams(1_100, (stream) => h2.get(stream))(0));
    await until(() => siege.inbox.held.length === 1_100, 'the streams');
    for (const held of siege.inbox.held) held.exchange.response.fail(broken);
    expect(await siege.attacker.alive()).toBe(true);
    expect(siege.listener.refusals).toEqual([]);
  });

  test('a browser that reloads again and again may, on a development machine', async () => {
    const siege = await Siege.start({ over: { profile: 'development' } });
    const hotReload = streams(100, requestAndReset);
    for (let reload = 0; reload < 40; reload += 1) {
      await siege.attacker.sendAll(hotReload(reload));
      expect(await siege.attacker.alive()).toBe(true);
    }
    expect([siege.attacker.goaway, siege.listener.refusals]).toEqual([null, []]);
  });

  test('a page that is left with 256 requests under way loses none of the next page, sent in the same breath', async () => {
    const siege = await Siege.start({ over: { profile: 'development' }, limits: { streams: 512 } });
    await siege.attacker.sendAll(streams(256, (stream) => h2.get(stream))(0));
    await until(() => siege.inbox.held.length === 256, 'the first page');
    const resets = streams(256, (stream) => h2.reset(stream))(0);
    await siege.attacker.sendAll(resets, streams(256, (stream) => h2.get(stream))(1));
    await until(() => siege.inbox.held.length === 512, 'the next page');
    expect(siege.attacker.frames.filter((frame) => frame.type === TYPE.reset)).toEqual([]);
  });

  test('a browser that reloads now and then may, at the edge', async () => {
    const siege = await Siege.start();
    const reload = streams(100, requestAndReset);
    for (let round = 0; round < 18; round += 1) {
      await siege.attacker.sendAll(reload(round));
      expect(await siege.attacker.alive()).toBe(true);
      siege.clock.advance(2_000);
    }
    expect([siege.attacker.goaway, siege.listener.refusals]).toEqual([null, []]);
  });

  test('an attacker is repelled on a development machine too', async () => {
    const siege = await Siege.start({ over: { profile: 'development' } });
    await siege.flood(streams(25_000, requestAndReset), 8);
    // nghttp2 may find so many frames of streams that are over before we find so many resets.
    await siege.repelled(/^http2-(reset-flood|stream-flood|protocol-error)$/);
  });
});

describe('frames that cost nothing to send', () => {
  test('CONTINUATION without end (CVE-2024-27983)', async () => {
    const siege = await Siege.start();
    const block = h2.requestBlock();
    siege.attacker.send(h2.headers(1, block, h2.END_STREAM));
    await siege.attacker.sendAll(times(100, () => h2.frame(TYPE.continuation, 0, 1, Buffer.from([0x82]))));
    await siege.repelled('http2-continuation-flood');
    expect(siege.inbox.held).toHaveLength(0);
  });

  test.each([
    ['PING', h2.ping(), 'http2-ping-flood'],
    ['SETTINGS', h2.settings([[h2.SETTING.initialWindowSize, 70_000]]), 'http2-ping-flood'],
    ['empty SETTINGS', h2.settings(), 'http2-ping-flood'],
  ])('%s (CVE-2019-9512, CVE-2019-9515)', async (_name, one, reason) => {
    const siege = await Siege.start();
    await siege.flood(() => times(100, () => one), 5);
    await siege.repelled(reason, CODE.calm);
  });

  test('PING whose answers nobody reads', async () => {
    const siege = await Siege.start();
    siege.attacker.socket.pause();
    siege.attacker.send(times(100_000, () => h2.ping()));
    expect((await siege.listener.refusal()).reason).toMatch(/^http2-(ping-flood|unread-answers)$/);
    siege.clock.advance(5_000);
    await until(() => siege.listener.listener.connections === 1, 'the connection to be gone');
    await siege.fine();
  });

  test.each([
    ['empty DATA (CVE-2019-9518)', () => h2.data(1, '', 0), 'http2-invalid-frames'],
    ['PRIORITY', () => h2.priority(1), 'http2-protocol-error'],
    ['PRIORITY of streams that are not there', (i: number) => h2.priority(2 * i + 1001), 'http2-protocol-error'],
    ['frames of a type that nobody knows', () => h2.frame(0x42, 0, 0), 'http2-protocol-error'],
    ['DATA that is all padding', () => h2.frame(TYPE.data, h2.PADDED, 1, Buffer.from([0])), 'http2-protocol-error'],
  ])('%s', async (_name, make, reason) => {
    const siege = await Siege.start();
    siege.attacker.send(h2.post(1));
    await siege.flood(() => times(2_000, make), 20);
    await siege.repelled(reason);
  });

  test.each([
    ['WINDOW_UPDATE of the connection', () => h2.windowUpdate(0, 1)],
    ['WINDOW_UPDATE of a stream', () => h2.windowUpdate(1, 1)],
    ['DATA of one byte', () => h2.data(1, 'x', 0)],
    ['DATA of one byte and 200 of padding', () => padded(200)],
  ])('%s', async (_name, make) => {
    const siege = await Siege.start();
    siege.attacker.send(h2.post(1));
    await siege.floodUntilSweep(() => times(1_000, make));
    await siege.repelled('http2-chatter', CODE.calm);
  });

  test('HPACK bombs: fields that are a byte on the wire and 4 KiB each in memory', async () => {
    const siege = await Siege.start();
    siege.attacker.send(h2.headers(1, bomb()));
    expect(await siege.attacker.resetOf(1)).toBe(CODE.calm);
    expect(await siege.attacker.alive()).toBe(true);
    await siege.floodUntilSweep((round) => h2.headers(2 * round + 3, bomb()));
    await siege.repelled('http2-chatter', CODE.calm);
    expect(siege.inbox.held).toHaveLength(0);
  });

  test('none of it is what a large upload, a large download or a talkative stream looks like', async () => {
    const siege = await Siege.start();
    const client = await H2Client.connect({ port: siege.listener.port });
    const upload = client.start({ ':path': '/up', ':method': 'POST' }, Buffer.alloc(16 << 20));
    const up = await siege.inbox.next();
    expect((await up.body()).bytes).toHaveLength(16 << 20);
    siege.clock.advance(500);
    up.respond(200, [], 'thanks');
    await upload.response();
    const download = client.start({ ':path': '/down' });
    const { response } = (await siege.inbox.next()).exchange;
    response.start({ status: 200, headers: [] });
    for (let i = 0; i < 256; i += 1) {
      if (i % 16 === 0) siege.clock.advance(500);
      if (!response.data(Buffer.alloc(65_536))) await new Promise<void>((resolve) => (response.onDrain = resolve));
    }
    response.end(null);
    expect((await download.response()).body).toHaveLength(16 << 20);
    const talk = client.start({ ':path': '/talk', ':method': 'POST' }, null);
    const { exchange } = await siege.inbox.next();
    exchange.response.start({ status: 200, headers: [] });
    exchange.requestBody.pipe({
      onDrain: null,
      data: (chunk) => exchange.response.data(chunk),
      end: () => {},
      fail: () => {},
    });
    let echoed = 0;
    talk.stream.on('data', (chunk: Buffer) => {
      echoed += chunk.length;
    });
    for (let i = 1; i <= 2_000; i += 1) {
      talk.stream.write('sixteen bytes...');
      if (i % 50 === 0) {
        await until(() => echoed === 16 * i, 'the echo');
        siege.clock.advance(500);
      }
    }
    expect([client.goaways, siege.listener.refusals]).toEqual([[], []]);
  });
});

describe('clients that keep us waiting', () => {
  test('a head that is not finished in time costs the session, whatever else is open on it', async () => {
    const siege = await Siege.start({ limits: { headTimeout: 10_000 } });
    siege.attacker.send(h2.get(1));
    await siege.inbox.next();
    await siege.attacker.sendAll(h2.headers(3, h2.requestBlock(), h2.END_STREAM));
    // The question whether it is in the middle of something.
    await until(() => {
      siege.clock.advance(1);
      return siege.attacker.frames.some((frame) => frame.type === TYPE.ping);
    }, 'a PING');
    siege.clock.advance(9_000);
    expect(siege.listener.refusals).toEqual([]);
    siege.clock.advance(2_500);
    await siege.repelled('head-timeout', CODE.calm);
  });

  test('a head that was refused is not one that is unfinished', async () => {
    const siege = await Siege.start({ limits: { headTimeout: 10_000, idleTimeout: 0 } });
    siege.attacker.send(h2.get(1, [['Upper', 'x']]));
    expect(await siege.attacker.resetOf(1)).toBe(CODE.protocol);
    siege.clock.advance(1_000);
    const question = await siege.attacker.frame((frame) => frame.type === TYPE.ping && frame.flags === 0);
    siege.attacker.send(h2.frame(TYPE.ping, h2.ACK, 0, question.payload));
    expect(await siege.attacker.alive()).toBe(true);
    siege.clock.advance(60_000);
    expect(await siege.attacker.alive()).toBe(true);
    expect(siege.listener.refusals).toEqual([]);
  });

  test('a client that says nothing after its TLS handshake has as long as for a head', async () => {
    const siege = await Siege.start({ limits: { headTimeout: 10_000 } });
    const silent = await FrameClient.dial({ port: siege.listener.port });
    await until(() => {
      siege.clock.advance(500);
      return silent.closed;
    }, 'the end of the connection');
  });

  test('a window that is never opened costs its stream after a while, and nobody else anything', async () => {
    const siege = await Siege.start({}, h2.settings([[h2.SETTING.initialWindowSize, 0]]));
    siege.attacker.send(h2.get(1));
    const held = await siege.inbox.next();
    held.exchange.response.start({ status: 200, headers: [] });
    let given = 0;
    while (held.exchange.response.data(Buffer.alloc(16_384))) given += 16_384;
    expect(given).toBeLessThanOrEqual(64 * 1024);
    await siege.attacker.frame((frame) => frame.type === TYPE.headers);
    await siege.fine();
    siege.clock.advance(60_000 + 32_000);
    await held.left();
    expect(await siege.attacker.resetOf(1)).toBe(CODE.cancel);
    expect(await siege.attacker.alive()).toBe(true);
  });

  test('every stream that it may open stays without an answer: others are served, and all end with the client', async () => {
    const siege = await Siege.start({ limits: { streams: 128 } });
    await siege.attacker.sendAll(streams(128, (stream) => h2.get(stream))(0));
    await until(() => siege.inbox.held.length === 128, 'the streams');
    await siege.fine();
    siege.attacker.send(h2.get(257));
    await siege.repelled('http2-protocol-error');
    for (const held of siege.inbox.held) await held.left();
  });
});

describe('bodies that nobody reads', () => {
  test('one connection makes us hold 5 MiB of them, not a window for each stream', async () => {
    const siege = await Siege.start();
    const uploads = new Uploads(siege.attacker, 128);
    const sent = await uploads.exhaust();
    expect(sent).toBe(1024 * 1024);
    await siege.fine();
    // And all of it goes on when somebody reads.
    for (const held of siege.inbox.held) held.exchange.requestBody.discard();
    await until(() => siege.attacker.frames.length > uploads.looked, 'windows');
    expect(await uploads.exhaust()).toBeGreaterThan(sent);
  });

  test('nor do streams whose readers were quick at first', async () => {
    const sinks: StallingSink[] = [];
    const siege = await Siege.start({
      handle: (exchange) => {
        const sink = new StallingSink();
        sinks.push(sink);
        exchange.requestBody.pipe(sink);
      },
    });
    const uploads = new Uploads(siege.attacker, 128);
    const sent = await uploads.exhaust();
    const taken = sinks.reduce((sum, { received }) => sum + received, 0);
    expect(sent - taken).toBeGreaterThan(SESSION_WINDOW_BYTES);
    expect(sent - taken).toBeLessThanOrEqual(HELD_BYTES);
    for (const sink of sinks) sink.drain();
    await until(() => siege.attacker.frames.length > uploads.looked, 'windows');
    expect(await uploads.exhaust()).toBeGreaterThan(sent + HELD_BYTES);
  });
});

/** See `UploadWindow`. */
const HELD_BYTES = UNREAD_STREAMS * STREAM_WINDOW_BYTES + SESSION_WINDOW_BYTES;

/** Sends as much body as the windows of the other side let it. */
class Uploads {
  looked = 0;
  readonly #client: FrameClient;
  #connection = 65_535;
  readonly #streams = new Map<number, number>();
  #sent = 0;

  constructor(client: FrameClient, count: number) {
    this.#client = client;
    for (let i = 0; i < count; i += 1) this.#streams.set(2 * i + 1, 256 * 1024);
    client.send(times(count, (i) => h2.post(2 * i + 1)));
  }

  /** All bytes sent so far, once no window is open any more or 8 MiB have gone. */
  async exhaust(): Promise<number> {
    const enough = this.#sent + 8 * 1024 * 1024;
    await this.#look();
    for (;;) {
      const open = [...this.#streams].find(([, window]) => window > 0);
      if (open === undefined || this.#connection === 0 || this.#sent > enough) return this.#sent;
      const length = Math.min(16_384, this.#connection, open[1]);
      this.#connection -= length;
      this.#streams.set(open[0], open[1] - length);
      this.#sent += length;
      this.#client.send(h2.data(open[0], Buffer.alloc(length), 0));
      if (this.#connection === 0) await this.#look();
    }
  }

  async #look(): Promise<void> {
    await this.#client.alive();
    for (; this.looked < this.#client.frames.length; this.looked += 1) {
      this.#note(this.#client.frames[this.looked] as Frame);
    }
  }

  #note({ type, stream, payload }: Frame): void {
    if (type !== TYPE.windowUpdate) return;
    const more = payload.readUInt32BE(0);
    if (stream === 0) this.#connection += more;
    else this.#streams.set(stream, (this.#streams.get(stream) ?? 0) + more);
  }
}
