import { writeFileSync } from 'node:fs';
import { request as askPlain, type OutgoingHttpHeaders } from 'node:http';
import { request as askSecure } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { certificateFor } from '../kit/certificate.ts';
import { deadPort } from '../kit/origin.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually } from './kit/patience.ts';
import { requirePrograms } from './kit/programs.ts';
import { Spawned } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const { haproxy } = requirePrograms('haproxy');
const directory = temporaryDirectory();

/** Another address of this machine, so that client and proxy can be told apart. */
const CLIENT = '127.0.0.9';

interface Ports {
  /** HAProxy, in front of Headgate. */
  readonly v1: number;
  readonly v2: number;
  readonly overTls: number;
  readonly tls: number;
  /** Headgate. */
  readonly plain: number;
  readonly secure: number;
  readonly raw: number;
  readonly out: number;
  /** HAProxy, behind Headgate. */
  readonly accepts: number;
  readonly acceptsTls: number;
}

async function freePorts(): Promise<Ports> {
  const names = ['v1', 'v2', 'overTls', 'tls', 'plain', 'secure', 'raw', 'out', 'accepts', 'acceptsTls'] as const;
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await deadPort());
  return Object.fromEntries(ports) as unknown as Ports;
}

function haproxyConfig(ports: Ports, certificate: string): string {
  const forward = (name: string, from: string, to: string): string => `
listen ${name}
  mode tcp
  bind ${from}
  server headgate ${to}
`;
  const tell =
    'http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port]"';
  return `
global
  stats timeout 10s
defaults
  timeout connect 5s
  timeout client 10s
  timeout server 10s
${forward('v1', `127.0.0.1:${ports.v1}`, `127.0.0.1:${ports.plain} send-proxy check check-send-proxy`)}
${forward('v2', `127.0.0.1:${ports.v2}`, `127.0.0.1:${ports.plain} send-proxy-v2 proxy-v2-options crc32c,unique-id check`)}
${forward('over-tls', `127.0.0.1:${ports.overTls}`, `127.0.0.1:${ports.secure} send-proxy-v2`)}
${forward('tls', `127.0.0.1:${ports.tls} ssl crt ${certificate}`, `127.0.0.1:${ports.plain} send-proxy-v2-ssl proxy-v2-options ssl,authority,cert-cn,crc32c`)}
frontend accepts
  mode http
  bind 127.0.0.1:${ports.accepts} accept-proxy
  bind 127.0.0.1:${ports.acceptsTls} accept-proxy ssl crt ${certificate}
  ${tell}
`;
}

function gatewayConfig(ports: Ports, service: number): ConfigInput {
  const introduced = { proxyProtocol: true, trustedProxies: ['127.0.0.1'] };
  const [out, secured] = [`127.0.0.1:${ports.accepts}`, `https://127.0.0.1:${ports.acceptsTls}`];
  const ca = join(directory, 'ca.pem');
  const pool = (address: string, proxyProtocol: 'v1' | 'v2') => ({
    endpoints: [address],
    proxyProtocol,
    tls: { ca, serverName: 'shop.test' },
    health: { interval: '100ms', rise: 1, start: 'down' as const },
  });
  return {
    listeners: {
      plain: { address: `127.0.0.1:${ports.plain}`, ...introduced },
      secure: { address: `127.0.0.1:${ports.secure}`, tls: { names: ['shop.test'] }, ...introduced },
      out: { address: `:${ports.out}` },
      raw: { address: `127.0.0.1:${ports.raw}`, kind: 'tcp', pool: 'v2' },
    },
    pools: {
      service: { endpoints: [`127.0.0.1:${service}`] },
      v1: pool(out, 'v1'),
      v2: pool(out, 'v2'),
      v1tls: pool(secured, 'v1'),
      v2tls: pool(secured, 'v2'),
    },
    routes: [
      { listeners: ['plain', 'secure'], pool: 'service' },
      ...['v1', 'v2', 'v1tls', 'v2tls'].map((name) => ({
        listeners: ['out'],
        match: { path: `/${name}` },
        pool: name,
      })),
    ],
  };
}

/** Asks from `CLIENT`, on a connection of its own. */
function ask(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const { protocol } = new URL(url);
  const options = { localAddress: CLIENT, agent: false, headers: { host: 'shop.test' } };
  const secure = { ...options, rejectUnauthorized: false, servername: 'shop.test' };
  const request = protocol === 'https:' ? askSecure(url, secure) : askPlain(url, options);
  request.on('error', reject);
  request.on('response', (response) => {
    const parts: Buffer[] = [];
    response.on('data', (part: Buffer) => parts.push(part));
    response.on('error', reject);
    response.on('end', () => resolve(Buffer.concat(parts).toString()));
  });
  request.end();
  return promise;
}

function isOpen(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(null));
  });
}

let ports: Ports;
let proxy: Spawned | null = null;
let gateway: GatewayProcess | null = null;
let service: LocalService | null = null;

beforeAll(async () => {
  ports = await freePorts();
  const { cert, key } = await certificateFor(['shop.test']);
  writeFileSync(join(directory, 'ca.pem'), cert);
  writeFileSync(join(directory, 'both.pem'), `${cert}\n${key}`);
  writeFileSync(join(directory, 'haproxy.cfg'), haproxyConfig(ports, join(directory, 'both.pem')));
  service = await LocalService.listen((request, response) => response.end(JSON.stringify(request.headers)));
  // First, or HAProxy finds it down.
  gateway = await GatewayProcess.start(gatewayConfig(ports, service.port), directory);
  proxy = new Spawned(haproxy, ['-db', '-f', join(directory, 'haproxy.cfg')], { cwd: directory });
  await eventually(() => isOpen(ports.accepts), 'HAProxy to listen');
});

afterAll(async () => {
  await gateway?.stop();
  await proxy?.stop();
  await service?.close();
});

describe('behind HAProxy', () => {
  test.each([
    ['send-proxy', 'http', 'v1', 'http'],
    ['send-proxy-v2 with a checksum', 'http', 'v2', 'http'],
    ['send-proxy-v2 ahead of TLS', 'https', 'overTls', 'https'],
    ['send-proxy-v2-ssl, which says that the client spoke TLS', 'https', 'tls', 'https'],
  ] as const)('the client is the one of %s', async (_, scheme, name, seen) => {
    const headers = JSON.parse(await ask(`${scheme}://127.0.0.1:${ports[name]}/`)) as OutgoingHttpHeaders;
    expect(headers).toMatchObject({
      'x-forwarded-for': CLIENT,
      'x-forwarded-port': String(ports[name]),
      'x-forwarded-proto': seen,
      forwarded: `for=${CLIENT};host=shop.test;proto=${seen}`,
    });
  });

  test('its checks (LOCAL, UNKNOWN, a connection without a byte) are nothing to log', async () => {
    expect(gateway?.process.stdout.text).not.toContain('proxy-header');
  });
});

describe('in front of HAProxy', () => {
  test.each(['v1', 'v2', 'v1tls', 'v2tls'])('accept-proxy reads the header of pool %s', async (pool) => {
    // Health checks begin with a header, too: an endpoint that did not take it would be down.
    const answer = await eventually(async () => {
      const text = await ask(`http://127.0.0.1:${ports.out}/${pool}`);
      return text.startsWith(CLIENT) ? text : null;
    }, 'the endpoint to be up');
    expect(answer).toMatch(new RegExp(`^${CLIENT.replaceAll('.', '\\.')} [1-9]\\d* 127\\.0\\.0\\.1 ${ports.out}$`));
  });

  test('accept-proxy reads the header of a connection that is forwarded as it is', async () => {
    expect(await ask(`http://127.0.0.1:${ports.raw}/`)).toMatch(
      new RegExp(`^127\\.0\\.0\\.9 [1-9]\\d* 127\\.0\\.0\\.1 ${ports.raw}$`),
    );
  });
});
