import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { SeededRandom } from './kit/random.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();

/** Each endpoint has one visitor, so that its one connection is idle for as long as the visitor waits. 10 000 requests in all. */
const KINDS = [
  { timeoutMs: 1_000, endpoints: 120, requests: 50 },
  { timeoutMs: 5_000, endpoints: 400, requests: 10 },
] as const;

interface Endpoint {
  readonly service: LocalService;
  readonly timeoutMs: number;
  readonly requests: number;
  served: number;
}

test('10 000 requests, every other one a POST, meet no closed connection of Node endpoints that keep theirs for 1 s or 5 s', {
  timeout: 240_000,
}, async () => {
  const endpoints = await Promise.all(
    KINDS.flatMap((kind) => Array.from({ length: kind.endpoints }, () => listen(kind.timeoutMs, kind.requests))),
  );
  const gateway = await GatewayProcess.start(
    {
      listeners: { http: { address: '127.0.0.1', port: 0, limits: { connectionsPerAddress: 2_000 } } },
      accessLog: { enabled: false },
      // What is lost must be seen.
      defaults: { retry: { attempts: 1 } },
      pools: Object.fromEntries(
        endpoints.map(({ service }, i) => [
          `p${i}`,
          { endpoints: [`127.0.0.1:${service.port}`], connections: { keepAlive: '60s' } },
        ]),
      ),
      routes: endpoints.map((_, i) => ({ match: { path: `/${i}/**` }, pool: `p${i}` })),
    },
    directory,
  );
  const agent = new Agent({ keepAlive: true });
  try {
    const random = new SeededRandom(20_270_131);
    const failures: string[] = [];
    await Promise.all(endpoints.map((endpoint, i) => visit(endpoint, { i, agent, gateway, random, failures })));
    expect(failures).toEqual([]);
    expect(endpoints.reduce((sum, { served }) => sum + served, 0)).toBe(10_000);
    const traffic = (await gateway.status()).pools.flatMap((pool) => pool.endpoints.map((one) => one.traffic));
    const sum = (key: 'opened' | 'reused' | 'retired' | 'racesLost') =>
      traffic.reduce((total, one) => total + (one?.[key] ?? 0), 0);
    expect(sum('racesLost')).toBe(0);
    // It would be no art without keeping any.
    expect(sum('reused')).toBeGreaterThan(500);
    expect(sum('retired')).toBeGreaterThan(2_000);
    expect(sum('opened') + sum('reused')).toBe(10_000);
    process.stderr.write(
      `reused ${sum('reused')}, opened ${sum('opened')}, retired ${sum('retired')}, lost ${sum('racesLost')}\n`,
    );
    expect(gateway.complaints()).toEqual([]);
  } finally {
    agent.destroy();
    await gateway.stop();
    await Promise.all(endpoints.map(({ service }) => service.close()));
  }
});

async function listen(timeoutMs: number, requests: number): Promise<Endpoint> {
  const endpoint: Endpoint = { service: await LocalService.listen(answer), timeoutMs, requests, served: 0 };
  endpoint.service.server.keepAliveTimeout = timeoutMs;
  // Newer versions of Node close a second later than they say, which would make it easy.
  endpoint.service.server.keepAliveTimeoutBuffer = 0;
  return endpoint;

  function answer(incoming: IncomingMessage, response: ServerResponse): void {
    endpoint.served += 1;
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  }
}

interface Visit {
  readonly i: number;
  readonly agent: Agent;
  readonly gateway: GatewayProcess;
  readonly random: SeededRandom;
  readonly failures: string[];
}

/** Asks again and again, after waits of any length up to beyond the endpoint's idle time-out, every third as long as that. */
async function visit({ requests, timeoutMs }: Endpoint, { i, agent, gateway, random, failures }: Visit) {
  const base = gateway.urls[0] as string;
  // Not all of them in the same moment.
  await pause(random.below(timeoutMs));
  for (let n = 0; n < requests; n += 1) {
    if (n > 0)
      await pause(n % 3 === 0 ? timeoutMs + random.below(200) - 100 : (timeoutMs * random.below(1_300)) / 1_000);
    const method = n % 2 === 0 ? 'POST' : 'GET';
    const status = await statusOf(`${base}/${i}/${n}`, method, agent).catch((error: Error) => error.message);
    if (status !== 200) failures.push(`${method} /${i}/${n}: ${status}`);
  }
}

function statusOf(url: string, method: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? 'three pears' : undefined);
  });
}
