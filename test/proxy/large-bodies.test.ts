import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { startTestGateway } from '../kit/gateway.ts';
import { stopAfterTest } from '../kit/stop.ts';

const CLIENTS = 4;
/** More than the kernel's buffers take on the way to a client that does not read. */
const BYTES = 12 * 1024 * 1024;

function digest(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** An endpoint with a body for each path, `/0` and on; the odd ones of unknown length. */
async function endpoint(bodies: readonly Buffer[]): Promise<number> {
  const server = createServer((request, response) => {
    const number = Number(request.url?.slice(1));
    const body = bodies[number] as Buffer;
    if (number % 2 === 0) response.setHeader('Content-Length', body.length);
    response.end(body);
  });
  stopAfterTest(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function ask(port: number, path: string): Promise<IncomingMessage> {
  const request = get({ port, host: '127.0.0.1', path, headers: { Connection: 'close' } });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response.pause();
}

async function whole(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test.each([
  ['the fast lane', true, undefined],
  ['the fast lane, with a cache', true, true],
  ['Fastify', false, undefined],
])('large bodies reach clients of %s as they were sent, those that read late too', async (_name, fastLane, cache) => {
  const bodies = Array.from({ length: CLIENTS }, () => randomBytes(BYTES));
  const origin = await endpoint(bodies);
  const gateway = await startTestGateway({
    listeners: { web: { port: 0, fastLane } },
    pools: { shop: { endpoints: [`127.0.0.1:${origin}`] } },
    routes: [{ name: 'all', pool: 'shop', ...(cache === undefined ? {} : { cache: { defaultTtl: '60s' } }) }],
  });
  for (let round = 0; round < 2; round += 1) {
    const responses = await Promise.all(bodies.map((_, number) => ask(gateway.port(), `/${number}`)));
    // Half of them read only when the others have got theirs.
    const early = await Promise.all(responses.map((response, i) => (i >= 2 ? null : whole(response))));
    const late = await Promise.all(responses.map((response, i) => (i >= 2 ? whole(response) : null)));
    const got = early.map((body, i) => body ?? (late[i] as Buffer));
    expect(got.map(digest)).toEqual(bodies.map(digest));
  }
});
