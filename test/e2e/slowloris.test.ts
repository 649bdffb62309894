import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DribbleEnd, dribbles } from './kit/dribble.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually, within } from './kit/patience.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
/** `headTimeout` is 10 s unless configured, counted by a sweep of twice a second. */
const HEAD_TIMEOUT_MS = 10_000;
const LATEST_MS = 12_500;
const PATIENCE_MS = 20_000;

let service: LocalService;
let gateway: GatewayProcess;

beforeAll(async () => {
  service = await LocalService.listen((_request, response) => response.end('fine'));
  gateway = await GatewayProcess.start(
    {
      listeners: {
        http: { address: '127.0.0.1', port: 0 },
        https: { address: '127.0.0.1', port: 0, tls: {} },
      },
      pools: { shop: { endpoints: [`127.0.0.1:${service.port}`] } },
      routes: [{ pool: 'shop' }],
    },
    directory,
  );
});

afterAll(async () => {
  await gateway?.stop();
  await service?.close();
});

describe('connections that send one byte a second', () => {
  let requests: DribbleEnd[];
  let handshakes: DribbleEnd[];
  let visitors: Visits;

  beforeAll(async () => {
    const visiting = visitUntil(Promise.all([attack(), attackHandshakes()]));
    [requests, handshakes] = await visiting.attack;
    visitors = await visiting.visits;
  }, 30_000);

  /** Half of them dribble the request line already, half the fields after it. */
  function attack(): Promise<DribbleEnd[]> {
    const line = { first: Buffer.from('G'), slow: Buffer.from('ET /slow HTTP/1.1\r\nHost: shop.test\r\n') };
    const fields = {
      first: Buffer.from('GET / HTTP/1.1\r\nHost: shop.test\r\nX-A: '),
      slow: Buffer.alloc(100, 'a\r\nX-B:'),
    };
    const scripts = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? line : fields));
    return dribbles(gateway.port('http'), scripts, PATIENCE_MS);
  }

  /** A ClientHello that never gets complete. */
  function attackHandshakes(): Promise<DribbleEnd[]> {
    const first = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]);
    const scripts = Array.from({ length: 20 }, () => ({ first, slow: Buffer.alloc(64) }));
    return dribbles(gateway.port('https'), scripts, PATIENCE_MS);
  }

  test('are all closed when the deadline of a request head is over, with 408', () => {
    expect(requests).toHaveLength(200);
    const latest = Math.max(...requests.map(({ lastedMs }) => lastedMs));
    const earliest = Math.min(...requests.map(({ lastedMs }) => lastedMs));
    expect(earliest).toBeGreaterThan(HEAD_TIMEOUT_MS - 1_000);
    expect(latest).toBeLessThan(LATEST_MS);
    for (const { answer } of requests) expect(answer).toMatch(/^HTTP\/1\.1 408 .*\r\n/);
    console.info(`200 connections closed after ${Math.round(earliest)} to ${Math.round(latest)} ms`);
  });

  test('are closed too while they shake hands', () => {
    expect(handshakes).toHaveLength(20);
    expect(Math.max(...handshakes.map(({ lastedMs }) => lastedMs))).toBeLessThan(LATEST_MS);
  });

  test('hold up nobody else: requests are answered meanwhile, one after another', () => {
    console.info(`${visitors.answered} requests meanwhile, the slowest took ${Math.round(visitors.slowestMs)} ms`);
    expect(visitors.failures).toEqual([]);
    // One at a time over 10 s: were they held up by the attack for so much as a second each, there would be ten.
    expect(visitors.answered).toBeGreaterThan(1_000);
    expect(visitors.slowestMs).toBeLessThan(2_000);
  });

  test('leave no connection behind and cost no worker', async () => {
    await eventually(async () => {
      const { listeners } = await gateway.status();
      return listeners.every(({ connections }) => connections === 0) ? true : null;
    }, 'no connection to be open');
    expect(gateway.process.alive).toBe(true);
    expect(gateway.complaints()).toEqual([]);
  });
});

interface Visits {
  answered: number;
  slowestMs: number;
  readonly failures: string[];
}

/** Sends one request after another over one kept-alive connection until `attack` is over. */
function visitUntil<T>(attack: Promise<T>): { attack: Promise<T>; visits: Promise<Visits> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let over = false;
  const ended = attack.finally(() => {
    over = true;
  });
  const visits: Visits = { answered: 0, slowestMs: 0, failures: [] };
  const visiting = (async () => {
    while (!over && visits.failures.length < 10) {
      const began = performance.now();
      const status = await within(visit(agent), 'a visitor to be answered').catch(String);
      visits.slowestMs = Math.max(visits.slowestMs, performance.now() - began);
      if (status === 200) visits.answered += 1;
      else visits.failures.push(String(status));
    }
    agent.destroy();
    return visits;
  })();
  return { attack: ended, visits: visiting };
}

function visit(agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ port: gateway.port('http'), host: '127.0.0.1', agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
