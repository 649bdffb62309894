import { once } from 'node:events';
import { constants } from 'node:http2';
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { inTime, until } from '../kit/deadline.ts';
import { startTestGateway, testAuthority } from '../kit/gateway.ts';
import { type EchoHandlers, GrpcClient, grpcServer, statusOf } from '../kit/grpc.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP2_ONLY, type MatrixOptions, matrix, type Stage } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

const GRPC: MatrixOptions = {
  without: { h1: 'gRPC needs HTTP/2', 'h1-tls': 'gRPC needs HTTP/2', h2c: 'its client is dialled with TLS' },
};
const HELLO = Buffer.from('hello');

matrix(
  'a unary call passes with metadata, binary too, in both directions',
  async (stage) => {
    const { client, front } = await connected(stage, {
      unary: (call, done) => {
        const metadata = new Metadata();
        metadata.set('x-got', String(call.metadata.get('x-sent')[0]));
        metadata.set('x-bytes-bin', call.metadata.get('x-bytes-bin')[0] as Buffer);
        call.sendMetadata(metadata);
        const trailer = new Metadata();
        trailer.set('x-last-bin', Buffer.from([0, 255]));
        done(null, call.request, trailer);
      },
    });
    const metadata = new Metadata();
    metadata.set('x-sent', 'one');
    metadata.set('x-bytes-bin', Buffer.from([0, 1, 254, 255]));
    const answer = await client.unary(HELLO, { metadata });
    expect([answer.status.code, answer.message]).toEqual([status.OK, HELLO]);
    expect(answer.metadata.get('x-got')).toEqual(['one']);
    expect(answer.metadata.get('x-bytes-bin')).toEqual([Buffer.from([0, 1, 254, 255])]);
    expect(answer.status.metadata.get('x-last-bin')).toEqual([Buffer.from([0, 255])]);
    const record = await front.gateway.nextRecord();
    expect(record).toMatchObject({ status: 200, grpcStatus: 0, attempts: 1, end: { reason: 'complete', error: null } });
  },
  GRPC,
);

matrix(
  'a call passes to a server with TLS',
  async (stage) => {
    const { client } = await connected(stage, {}, { tls: true });
    expect((await client.unary(HELLO)).message).toEqual(HELLO);
  },
  GRPC,
);

test('a call passes without TLS on either side (h2c)', async () => {
  const config = forwardTo({ port: await grpcServer() }, { listener: { h2c: true }, pool: { protocol: 'http2' } });
  const client = new GrpcClient((await startTestGateway(config)).port(), null);
  expect((await client.unary(HELLO)).message).toEqual(HELLO);
});

matrix(
  'messages of many megabytes pass whole',
  async (stage) => {
    const { client } = await connected(stage);
    const large = Buffer.alloc(12 * 1024 * 1024, 'large');
    const answer = await client.unary(large);
    expect(answer.message?.equals(large)).toBe(true);
  },
  GRPC,
);

matrix(
  'client streaming: many messages, one answer',
  async (stage) => {
    const { client, front } = await connected(stage);
    const { call, answer } = client.upload();
    for (const word of ['a', 'b', 'c']) call.write(Buffer.from(word));
    call.end();
    expect(String((await answer).message)).toBe('abc');
    expect(await front.gateway.nextRecord()).toMatchObject({ grpcStatus: 0, bytesIn: 18 });
  },
  GRPC,
);

matrix(
  'server streaming: each message comes as it is sent',
  async (stage) => {
    let more: () => void = () => {};
    const { client } = await connected(stage, {
      download: (call) => {
        call.write(Buffer.from('first'));
        more = () => {
          call.write(Buffer.from('second'));
          call.end();
        };
      },
    });
    const call = client.download(HELLO);
    const over = statusOf(call);
    expect(String((await once(call, 'data'))[0])).toBe('first');
    more();
    expect(String((await once(call, 'data'))[0])).toBe('second');
    expect((await over).code).toBe(status.OK);
  },
  GRPC,
);

matrix(
  'bidirectional streaming: question and answer in turns',
  async (stage) => {
    const { client } = await connected(stage);
    const call = client.chat();
    const over = statusOf(call);
    for (const word of ['one', 'two', 'three']) {
      call.write(Buffer.from(word));
      expect(String((await inTime(once(call, 'data'), word))[0])).toBe(word);
    }
    call.end();
    expect((await over).code).toBe(status.OK);
  },
  GRPC,
);

matrix(
  'an error without a message stays one head, with its status, message and metadata',
  async (stage) => {
    const metadata = new Metadata();
    metadata.set('x-why', 'because');
    const { client, front } = await connected(stage, {
      unary: (_call, done) => done({ code: status.NOT_FOUND, details: 'no “such” thing', metadata }),
    });
    const answer = await client.unary(HELLO);
    expect([answer.status.code, answer.status.details]).toEqual([status.NOT_FOUND, 'no “such” thing']);
    expect(answer.status.metadata.get('x-why')).toEqual(['because']);
    const record = await front.gateway.nextRecord();
    expect(record).toMatchObject({ status: 200, grpcStatus: status.NOT_FOUND, end: { reason: 'complete' } });
  },
  GRPC,
);

matrix(
  'an error after messages comes behind them',
  async (stage) => {
    const { client } = await connected(stage, {
      download: (call) => {
        call.write(Buffer.from('some'));
        call.emit('error', { code: status.DATA_LOSS, details: 'the rest is gone' });
      },
    });
    const call = client.download(HELLO);
    const over = statusOf(call);
    expect(String((await once(call, 'data'))[0])).toBe('some');
    expect(await over).toMatchObject({ code: status.DATA_LOSS, details: 'the rest is gone' });
  },
  GRPC,
);

matrix(
  'an unknown method is the server’s to refuse',
  async (stage) => {
    const { client } = await connected(stage);
    expect((await client.unary(HELLO, {}, '/test.Echo/Nothing')).status.code).toBe(status.UNIMPLEMENTED);
  },
  GRPC,
);

matrix(
  'a client that cancels ends the call at the server',
  async (stage) => {
    const started = Promise.withResolvers<ServerDuplexStream<Buffer, Buffer>>();
    const { client, front } = await connected(stage, { chat: (call) => started.resolve(call) });
    const call = client.chat();
    const over = statusOf(call);
    call.write(HELLO);
    const served = await inTime(started.promise, 'the call');
    const cancelled = once(served, 'cancelled');
    call.cancel();
    await inTime(cancelled, 'the server to hear of it');
    expect((await over).code).toBe(status.CANCELLED);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client', reason: 'client-gone' });
  },
  GRPC,
);

matrix(
  'a server that cancels ends the call at the client',
  async (stage) => {
    const { client } = await connected(stage, {
      chat: (call) => {
        call.on('data', () => call.emit('error', { code: status.CANCELLED, details: 'enough' }));
      },
    });
    const call = client.chat();
    const over = statusOf(call);
    call.write(HELLO);
    expect(await over).toMatchObject({ code: status.CANCELLED, details: 'enough' });
  },
  GRPC,
);

matrix(
  'a deadline reaches the server, and both ends of the call keep to it',
  async (stage) => {
    const left = Promise.withResolvers<number>();
    const { client } = await connected(stage, {
      unary: (call) => left.resolve(Number(call.getDeadline()) - Date.now()),
    });
    const answer = client.unary(HELLO, { deadlineMs: 400 });
    expect(await inTime(left.promise, 'the deadline')).toBeLessThanOrEqual(500);
    expect((await answer).status.code).toBe(status.DEADLINE_EXCEEDED);
  },
  GRPC,
);

matrix(
  'grpc-timeout bounds the exchange at the gateway, and cancels the stream behind it',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const shop = await http2Origin();
    const front = await stage.gateway(forwardTo(shop, { pool: { protocol: 'http2' } }), { clock });
    const exchange = await front.begin(grpcRequest(['Grpc-Timeout', '5S']));
    const { stream } = await shop.next();
    clock.advance(5_200);
    const reply = await exchange.reply();
    expect([reply.status, reply.header('grpc-status'), reply.header('proxy-status')]).toEqual([
      ...[200, String(status.DEADLINE_EXCEEDED), 'headgate; error=http_response_timeout'],
    ]);
    await until(() => stream.rstCode === constants.NGHTTP2_CANCEL, 'CANCEL');
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ status: 200, grpcStatus: status.DEADLINE_EXCEEDED, end: { side: 'upstream', reason: 'deadline-exceeded' } },
    });
  },
  GRPC,
);

matrix(
  'a route’s own total timeout holds where it is shorter',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const shop = await http2Origin();
    const over: Forwarding = { pool: { protocol: 'http2' }, route: { timeouts: { total: '2s' } } };
    const front = await stage.gateway(forwardTo(shop, over), { clock });
    const exchange = await front.begin(grpcRequest(['Grpc-Timeout', '1H']));
    await shop.next();
    clock.advance(2_200);
    await exchange.reply();
    expect((await front.gateway.nextRecord()).end.reason).toBe('total-timeout');
  },
  GRPC,
);

matrix(
  'the status comes behind a body of announced length, too',
  async ({ gateway }) => {
    const shop = await http2Origin();
    const front = await gateway(forwardTo(shop, { pool: { protocol: 'http2' } }));
    const headers = ['content-type', 'application/grpc', 'te', 'trailers'];
    const call = await front.begin({ method: 'POST', chunked: true, body: 'ask', headers });
    const { stream } = await shop.next();
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const head = { ':status': 200, 'content-type': 'application/grpc', 'content-length': '6' };
    stream.respond(head, { waitForTrailers: true });
    stream.end('answer');
    const reply = await call.reply();
    expect([reply.text, reply.ended, reply.trailers.first('grpc-status')]).toEqual(['answer', 'clean', '0']);
  },
  { without: HTTP2_ONLY },
);

matrix(
  'a call that fails in the middle of its answer ends with a status',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const shop = await http2Origin();
    const over: Forwarding = { pool: { protocol: 'http2' }, route: { timeouts: { tunnelIdle: '5m' } } };
    const front = await stage.gateway(forwardTo(shop, over), { clock });
    const exchange = await front.begin(grpcRequest([]));
    const { stream } = await shop.next();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write('xyz');
    await exchange.read(3);
    clock.advance(5 * 60_000 + 200);
    const reply = await exchange.reply();
    expect([reply.ended, reply.trailers.first('grpc-status')]).toEqual(['clean', String(status.DEADLINE_EXCEEDED)]);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ reason: 'stream-idle-timeout' });
  },
  GRPC,
);

matrix(
  'a quiet stream is nobody’s slow upload, and what the client sends keeps it alive',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const shop = await http2Origin();
    const over: Forwarding = { pool: { protocol: 'http2' }, route: { timeouts: { tunnelIdle: '40s' } } };
    const front = await stage.gateway(forwardTo(shop, over), { clock });
    const { body: _, ...open } = grpcRequest([]);
    const client = await front.connectHttp2();
    const exchange = client.begin({ ...open, chunked: true });
    const { stream, session } = await shop.next();
    const pass = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 5_000) {
        clock.advance(5_000);
        // Both neighbours are heard of: nobody takes them for dead.
        for (const peer of [client.session, session]) await new Promise((resolve) => peer.ping(resolve));
      }
    };
    await pass(30_000);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    await exchange.head();
    for (const word of ['once', 'more']) {
      await pass(25_000);
      exchange.stream.write(word);
      expect(String((await once(stream, 'data'))[0])).toBe(word);
    }
    await pass(25_000);
    stream.end('x');
    expect((await exchange.reply()).ended).toBe('clean');
  },
  GRPC,
);

const refusals: readonly {
  readonly what: string;
  readonly happen: (stage: Stage) => Promise<Front>;
  readonly code: number;
  readonly details: string;
  readonly error: string;
}[] = [
  {
    what: 'no route takes it',
    happen: (stage) => stage.gateway({ routes: [{ match: { path: '/other' }, respond: {} }] }),
    code: status.UNIMPLEMENTED,
    details: 'headgate: destination_not_found (no-route)',
    error: 'destination_not_found',
  },
  {
    what: 'nobody listens at the endpoint',
    happen: async (stage) => stage.gateway(forwardTo({ port: await deadPort() }, { pool: { protocol: 'http2' } })),
    code: status.UNAVAILABLE,
    details: 'headgate: connection_refused (connection-refused)',
    error: 'connection_refused',
  },
  {
    what: 'no endpoint is up',
    happen: async (stage) => {
      const pool = { protocol: 'http2', health: { start: 'down', interval: '1h' } } as const;
      return stage.gateway(forwardTo({ port: await deadPort() }, { pool }));
    },
    code: status.UNAVAILABLE,
    details: 'headgate: destination_unavailable (no-endpoint-available)',
    error: 'destination_unavailable',
  },
];

for (const { what, happen, code, details, error } of refusals) {
  matrix(
    `a call fails with a gRPC status when ${what}`,
    async (stage) => {
      const front = await happen(stage);
      const client = new GrpcClient(front.gateway.port(), await testAuthority());
      const { status: ended } = await client.unary(HELLO);
      expect([ended.code, ended.details]).toEqual([code, details]);
      expect(ended.metadata.get('proxy-status')).toEqual([`headgate; error=${error}`]);
      expect(await front.gateway.nextRecord()).toMatchObject({ status: 200, grpcStatus: code, end: { error } });
    },
    GRPC,
  );
}

matrix(
  'calls are balanced one by one, not connection by connection',
  async (stage) => {
    const counts = [0, 0, 0];
    const servers = await Promise.all(
      counts.map(async (_, i) => ({
        port: await grpcServer({
          unary: (call, done) => {
            counts[i] = (counts[i] as number) + 1;
            done(null, call.request);
          },
        }),
      })),
    );
    const front = await stage.gateway(forwardTo(servers, { pool: { protocol: 'http2' } }));
    const client = new GrpcClient(front.gateway.port(), await testAuthority());
    for (let i = 0; i < 9; i += 1) await client.unary(HELLO);
    expect(counts).toEqual([3, 3, 3]);
  },
  GRPC,
);

function grpcRequest(headers: readonly string[]) {
  const own = ['Content-Type', 'application/grpc', 'TE', 'trailers', ...headers];
  return { method: 'POST', path: '/test.Echo/Unary', headers: own, body: '\0\0\0\0\0' };
}

async function connected(stage: Stage, handlers: EchoHandlers = {}, options: { readonly tls?: boolean } = {}) {
  const port = await grpcServer(handlers, options);
  const config = forwardTo(
    { port },
    { pool: { protocol: 'http2', ...(options.tls === true ? await trusting(port) : {}) } },
  );
  const front = await stage.gateway(config);
  return { front, client: new GrpcClient(front.gateway.port(), await testAuthority()) };
}

async function trusting(port: number) {
  return { endpoints: [`https://localhost:${port}`], tls: { insecure: true } };
}
