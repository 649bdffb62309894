import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { test } from 'vitest';
import type { ReloadReport } from '../../src/control/reload.ts';
import type { ClientConnection, ClientExchange, ClientRequest, Reply } from './client.ts';
import {
  startTestGateway,
  type TestConfig,
  type TestGateway,
  type TestGatewayOptions,
  testAuthority,
} from './gateway.ts';
import { Http1Client, type Http1ClientExchange } from './http1-client.ts';
import { Http2Client, settled } from './http2-client.ts';
import { origin } from './origin.ts';
import { stopAfterTest } from './stop.ts';
import { WHOLE } from './whole.ts';

/**
 * How clients talk to the gateway: HTTP/1.1 to Fastify alone (`h1`) or to the fast lane first (`lane`), or HTTP/2; and what the gateway
 * talks HTTP/1.1 to endpoints with. A new one of either is one member more.
 */
const DOWNSTREAMS = ['h1', 'lane', 'h1-tls', 'lane-tls', 'h2', 'h2c'] as const;
const TRANSPORTS = ['undici', 'lean'] as const;

export type Downstream = (typeof DOWNSTREAMS)[number];
export type TransportName = (typeof TRANSPORTS)[number];

export interface MatrixOptions {
  /** Combinations that are left out, each with the reason why; one for `h1` counts for `lane` too, `h1-tls` for `lane-tls`, `h2` for `h2c`. */
  readonly without?: Readonly<Partial<Record<Downstream | TransportName, string>>>;
}

export interface Stage {
  readonly downstream: Downstream;
  readonly transport: TransportName;
  /** A scripted origin, closed after the test. */
  readonly origin: typeof origin;
  /** A running gateway whose listener `web` speaks this combination's protocol, closed after the test. */
  readonly gateway: (config: TestConfig, options?: TestGatewayOptions) => Promise<Front>;
}

/**
 * Runs `body` as one test for each combination of a downstream and a transport: for all of them under `npm run test:matrix`, for the part
 * that `fairShare` chooses under `npm test`.
 */
export function matrix(name: string, body: (stage: Stage) => Promise<void>, options: MatrixOptions = {}): void {
  const { without = {} } = options;
  const downstreams = DOWNSTREAMS.filter((one) => (without[one] ?? without[AS[one]]) === undefined);
  const transports = TRANSPORTS.filter((one) => without[one] === undefined);
  const all = downstreams.flatMap((downstream) => transports.map((transport) => ({ downstream, transport })));
  for (const speak of WHOLE ? all : fairShare(name, downstreams, transports)) {
    test(`${name} (${speak.downstream}, ${speak.transport})`, () =>
      body({ ...speak, origin, gateway: (config, more) => frontOf(speak, config, more) }));
  }
}

interface Combination {
  readonly downstream: Downstream;
  readonly transport: TransportName;
}

/** What is left out with which other: the same client sends the same bytes. */
const AS: Readonly<Record<Downstream, Downstream>> = {
  h1: 'h1',
  lane: 'h1',
  'h1-tls': 'h1-tls',
  'lane-tls': 'h1-tls',
  h2: 'h2',
  h2c: 'h2',
};

/**
 * Each downstream with one transport, the next downstream with the next transport; of the two that differ in what is behind TLS alone, one.
 * Where the two circles begin is said by the sum of the characters of the name: so each pair of a downstream and a transport has its
 * part of the tests, about half or a quarter, and a test keeps its combinations whatever tests come or go around it.
 */
function fairShare(
  name: string,
  downstreams: readonly Downstream[],
  transports: readonly TransportName[],
): Combination[] {
  let sum = 0;
  for (let at = 0; at < name.length; at += 1) sum += name.charCodeAt(at);
  const secured = downstreams.filter((one) => AS[one] === 'h1-tls');
  const chosen = secured[(sum >> 1) % secured.length];
  return downstreams
    .filter((one) => one === chosen || !secured.includes(one))
    .map((downstream, at) => ({ downstream, transport: transports[(sum + at) % transports.length] ?? 'undici' }));
}

/** The client speaks HTTP/2. */
export function isHttp2(downstream: Downstream): boolean {
  return AS[downstream] === 'h2';
}

/** Without TLS. */
export function isPlain(downstream: Downstream): boolean {
  return downstream === 'h1' || downstream === 'lane' || downstream === 'h2c';
}

/** The listener may read HTTP/1.1 by itself. */
export function hasFastLane(downstream: Downstream): boolean {
  return downstream !== 'h1' && downstream !== 'h1-tls';
}

/** For `without`: what HTTP/2 has no way to say. */
export const HTTP1_ONLY = { h2: 'HTTP/1.1 syntax' } as const;

/** For `without`: what only HTTP/2 has a way to say. */
export const HTTP2_ONLY = { h1: 'HTTP/2 syntax', 'h1-tls': 'HTTP/2 syntax' } as const;

/** For `without`: what the protocol of the client has no part in, so that one is as good as all; by either way in for HTTP/1.1. */
export const ONE_PROTOCOL = {
  'h1-tls': 'the same behind every protocol',
  h2: 'the same behind every protocol',
} as const;

async function frontOf(
  { downstream, transport }: Combination,
  config: TestConfig,
  options?: TestGatewayOptions,
): Promise<Front> {
  const started = await startTestGateway(speaking(downstream, config), { http1: transport, ...options });
  return new Front(started, downstream);
}

function speaking(downstream: Downstream, config: TestConfig): TestConfig {
  const names = ['shop.test', '*.shop.test', 'localhost', '127.0.0.1'];
  const protocol = isPlain(downstream) ? { h2c: downstream === 'h2c' } : { tls: { names } };
  const { web, ...others } = config.listeners ?? {};
  const listeners = { web: { port: 0, fastLane: hasFastLane(downstream), ...protocol, ...web }, ...others };
  return { ...config, listeners };
}

/** A gateway as clients of one protocol see it. */
export class Front {
  readonly gateway: TestGateway;
  readonly downstream: Downstream;

  constructor(gateway: TestGateway, downstream: Downstream) {
    this.gateway = gateway;
    this.downstream = downstream;
  }

  /** Scheme that clients use. */
  get scheme(): 'http' | 'https' {
    return isPlain(this.downstream) ? 'http' : 'https';
  }

  /** Reloads the gateway, with `config` in place of what it was started with. */
  reload(config: TestConfig): Promise<ReloadReport> {
    return this.gateway.reload(speaking(this.downstream, config));
  }

  /** What the next reload finds, by whoever it is asked for. */
  source(config: TestConfig): void {
    this.gateway.source(speaking(this.downstream, config));
  }

  /** A connection for several requests. Closed after the test. */
  async connect(serverName = 'shop.test'): Promise<ClientConnection> {
    return isHttp2(this.downstream) ? this.connectHttp2(serverName) : this.connectHttp1(serverName);
  }

  /** A request on a connection of its own, still under way. */
  async begin(request: ClientRequest): Promise<ClientExchange> {
    return (await this.connect()).begin(request);
  }

  /** A request on a connection of its own, and all of the response. */
  async send(request: ClientRequest): Promise<Reply> {
    const connection = await this.connect();
    const reply = await connection.send(request);
    connection.close();
    return reply;
  }

  /** Sends exactly these bytes on an HTTP/1.1 connection of its own. */
  async raw(bytes: string | Uint8Array, method?: string): Promise<Http1ClientExchange> {
    const client = await this.connectHttp1();
    client.write(bytes);
    return client.expect(method);
  }

  async connectHttp1(serverName = 'shop.test'): Promise<Http1Client> {
    if (isHttp2(this.downstream)) throw new Error('Cannot speak HTTP/1.1 here: leave h2 out, with a reason');
    const tcp = await this.#dial();
    const client = new Http1Client(isPlain(this.downstream) ? tcp : await secured(tcp, serverName, 'http/1.1'), tcp);
    stopAfterTest(() => client.close());
    return client;
  }

  async connectHttp2(serverName = 'shop.test'): Promise<Http2Client> {
    const tcp = await this.#dial(false);
    const socket = this.downstream === 'h2c' ? tcp : await secured(tcp, serverName, 'h2');
    const session = connectHttp2(`${this.scheme}://${serverName}`, { createConnection: () => socket });
    const client = new Http2Client(session);
    stopAfterTest(() => client.close());
    await settled(session);
    return client;
  }

  async #dial(allowHalfOpen = isPlain(this.downstream)): Promise<Socket> {
    const socket = connectTcp({ port: this.gateway.port(), host: '127.0.0.1', allowHalfOpen, noDelay: true });
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }
}

/** The same connection with TLS on it, once both sides have agreed on `protocol`. */
async function secured(tcp: Socket, serverName: string, protocol: string): Promise<Socket> {
  const ca = await testAuthority();
  const socket = connectTls({ socket: tcp, servername: serverName, ca, ALPNProtocols: [protocol] });
  await once(socket, 'secureConnect');
  if (socket.alpnProtocol !== protocol) throw new Error(`The gateway agreed to "${socket.alpnProtocol}" only`);
  return socket;
}
