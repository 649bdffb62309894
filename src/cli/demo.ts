import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { DemoName } from './demo-services.ts';

const SLOW_MS = 1_500;
/** Every third request of the flaky service fails, in turn by a 500 and by a cut connection. */
const FLAKY_EVERY = 3;

export interface DemoAddress {
  readonly address: string;
  readonly port: number;
}

/** Starts one demo service. Rejects with what the system says when the port is taken. */
export async function startDemo(name: DemoName, at: DemoAddress): Promise<Server> {
  const server = createServer(answers[name]());
  server.on('upgrade', (_request, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.address, resolve);
  });
  return server;
}

/** Stops at once: connections are cut. */
export function stopDemo(server: Server): void {
  server.close();
  server.closeAllConnections();
}

/** `headgate demo`: runs one until the process is told to stop. Rejects like `startDemo`. */
export async function runDemo(name: DemoName, at: DemoAddress): Promise<void> {
  const { promise: told, resolve } = Promise.withResolvers<void>();
  process.once('SIGTERM', resolve);
  process.once('SIGINT', resolve);
  const server = await startDemo(name, at);
  process.stderr.write(`The ${name} service listens on ${at.address}:${at.port}\n`);
  await told;
  stopDemo(server);
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const answers: Readonly<Record<DemoName, () => Answer>> = { fine, slow, flaky };

function fine(): Answer {
  return (request, response) => {
    response.setHeader('Cache-Control', 'max-age=10');
    describe('fine', request, response);
  };
}

function slow(): Answer {
  return (request, response) => {
    if (request.url === '/healthz') {
      describe('slow', request, response);
      return;
    }
    setTimeout(() => describe('slow', request, response), SLOW_MS);
  };
}

function flaky(): Answer {
  let requests = 0;
  return (request, response) => {
    if (request.url === '/healthz') {
      describe('flaky', request, response);
      return;
    }
    requests += 1;
    if (requests % FLAKY_EVERY !== 0) describe('flaky', request, response);
    else if (requests % (2 * FLAKY_EVERY) === 0) request.socket.destroy();
    else response.writeHead(500, { 'Content-Type': 'text/plain' }).end('flaky: this one failed\n');
  };
}

/** Tells what reached the service, so that one sees what the gateway did to the request. */
function describe(name: DemoName, request: IncomingMessage, response: ServerResponse): void {
  const seen = { service: name, method: request.method, url: request.url, headers: request.headers };
  response.setHeader('Content-Type', 'application/json');
  response.end(`${JSON.stringify(seen, null, 2)}\n`);
}
