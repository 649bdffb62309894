import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { type Front, matrix, type Stage } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

/** An endpoint with one event stream, in the hands of the test. */
interface EventSource {
  readonly port: number;
  /** Sends the head, before there is any event. */
  begin(): Promise<void>;
  send(event: string): void;
  end(): void;
  /** The gateway has let go of it. */
  readonly cancelled: () => boolean;
}

const ENDPOINTS = { http1: eventsOverHttp1, http2: eventsOverHttp2 } as const;

for (const protocol of ['http1', 'http2'] as const) {
  matrix(`each event of an ${protocol} endpoint reaches the client before the next one is sent`, async (stage) => {
    const { front, source } = await fronted(stage, protocol);
    const exchange = await front.begin({ headers: ['Accept', 'text/event-stream'] });
    await source.begin();
    const head = await exchange.head();
    expect([head.status, head.header('content-type')]).toEqual([200, 'text/event-stream']);
    for (const event of ['data: 1\n\n', ': comment\n\n', 'event: x\ndata: 2\n\n']) {
      source.send(event);
      expect(String(await exchange.read(event.length))).toBe(event);
    }
    source.end();
    expect((await exchange.reply()).ended).toBe('clean');
    expect(await front.gateway.nextRecord()).toMatchObject({ status: 200, bytesOut: 38, end: { reason: 'complete' } });
  });

  matrix(`a client that leaves an event stream ends it at the ${protocol} endpoint`, async (stage) => {
    const { front, source } = await fronted(stage, protocol);
    const exchange = await front.begin({});
    await source.begin();
    source.send('data: 1\n\n');
    await exchange.read(9);
    exchange.leave();
    await until(source.cancelled, 'the endpoint to be let go');
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ status: 200, bytesOut: 9, end: { side: 'client', reason: 'client-gone' } },
    });
  });
}

async function fronted(stage: Stage, protocol: 'http1' | 'http2'): Promise<{ front: Front; source: EventSource }> {
  const source = await ENDPOINTS[protocol]();
  return { front: await stage.gateway(forwardTo(source, { pool: { protocol } })), source };
}

async function eventsOverHttp1(): Promise<EventSource> {
  const server = createServer();
  const asked = once(server, 'request');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  let response: ServerResponse | null = null;
  return {
    port: (server.address() as AddressInfo).port,
    begin: async () => {
      [, response] = await asked;
      response?.writeHead(200, { 'content-type': 'text/event-stream' });
      response?.flushHeaders();
    },
    send: (event) => response?.write(event),
    end: () => response?.end(),
    cancelled: () => response?.closed === true,
  };
}

async function eventsOverHttp2(): Promise<EventSource> {
  const origin = await http2Origin();
  let stream: ServerHttp2Stream | null = null;
  return {
    port: origin.port,
    begin: async () => {
      ({ stream } = await origin.next());
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    },
    send: (event) => stream?.write(event),
    end: () => stream?.end(),
    cancelled: () => stream?.rstCode === constants.NGHTTP2_CANCEL,
  };
}
