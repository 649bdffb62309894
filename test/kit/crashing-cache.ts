import { request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { GatewayProcess } from '../e2e/kit/gateway-process.ts';
import { LocalService } from '../e2e/kit/local-service.ts';

const PAGES = 60;

export interface CrashFigures {
  /** Responses that were served from what an earlier life had written. */
  readonly survived: number;
  readonly answers: number;
}

/**
 * A gateway with a cache on disk that is killed in the middle of its work, `rounds` times, and started again on what is left. Every
 * response that is answered whole is compared with what the endpoint says.
 */
export async function crashAgainAndAgain(rounds: number, directory: string): Promise<CrashFigures> {
  const service = await LocalService.listen(({ url = '' }, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=3600', 'X-Page': url }).end(bodyOf(url));
  });
  const figures = { survived: 0, answers: 0 };
  try {
    for (let round = 0; round < rounds; round += 1) await oneLife(round, { service, directory, figures });
  } finally {
    await service.close();
  }
  return figures;
}

async function oneLife(
  round: number,
  scene: { readonly service: LocalService; readonly directory: string; readonly figures: Writable<CrashFigures> },
): Promise<void> {
  const { service, directory, figures } = scene;
  const gateway = await GatewayProcess.start(
    {
      listeners: { http: { address: '127.0.0.1', port: 0 } },
      pools: { pages: { endpoints: [`127.0.0.1:${service.port}`] } },
      routes: [{ pool: 'pages', cache: true }],
      // Less than all pages: some are evicted while others are written.
      cache: { size: '4M', disk: { path: join(directory, 'cache'), size: '6M' } },
      accessLog: { enabled: false },
    },
    directory,
  );
  const port = gateway.port('http');
  // Every other life is asked while it still looks for what the one before has left.
  while (round % 2 === 1 && (await gateway.status()).cacheDisk?.phase !== 'ready');
  const fresh = new Set<string>();
  let alive = true;
  const client = async (first: number): Promise<void> => {
    for (let i = 0; alive; i += 1) {
      const path = `/${(first * 17 + i * 7) % PAGES}`;
      const reply = await ask(port, path);
      if (reply === null) continue;
      figures.answers += 1;
      if (reply.hit && !fresh.has(path)) figures.survived += 1;
      fresh.add(path);
      expect([path, reply.page, reply.body.equals(bodyOf(path))]).toEqual([path, path, true]);
    }
  };
  const clients = Array.from({ length: 4 }, (_, i) => client(i + round));
  // By what was done, not by time: each life has done more than the one before when it is killed.
  const enough = figures.answers + 250 + 35 * round;
  while (figures.answers < enough) await Promise.race([new Promise((resolve) => setTimeout(resolve, 5)), ...clients]);
  gateway.process.signal('SIGKILL');
  await gateway.process.ended;
  alive = false;
  await Promise.all(clients);
  expect(gateway.complaints()).toEqual([]);
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** From nothing to 300 KB, the same for each path every time, and different for each. */
function bodyOf(path: string): Buffer {
  const page = Number(path.slice(1));
  const line = Buffer.from(`page ${page} `.repeat(20));
  return Buffer.alloc((page * page * 83) % 300_000, line);
}

interface Answer {
  readonly body: Buffer;
  readonly page: string;
  readonly hit: boolean;
}

/** `null` for what was broken off. */
function ask(port: number, path: string): Promise<Answer | null> {
  return new Promise((resolve) => {
    const outgoing = request(
      { port, path, host: '127.0.0.1', agent: false, headers: { Host: 'shop.test' } },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('error', () => resolve(null));
        reply.on('close', () => {
          const hit = /^headgate; hit/.test(String(reply.headers['cache-status']));
          const answer = { body: Buffer.concat(chunks), page: String(reply.headers['x-page']), hit };
          resolve(reply.complete && reply.statusCode === 200 ? answer : null);
        });
      },
    );
    outgoing.on('error', () => setImmediate(resolve, null));
    outgoing.end();
  });
}
