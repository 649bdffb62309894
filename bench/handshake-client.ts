/**
 * Makes TLS 1.3 handshakes, one connection each: `node bench/handshake-client.ts PORT SECONDS full|resumed`. Prints a line of JSON
 * with how many were made, how many of them resumed a session, and how many failed.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

const [port = 0, seconds = 0] = process.argv.slice(2, 4).map(Number);
const resumes = process.argv[4] === 'resumed';

/** Handshakes at a time: enough to keep the proxy's core busy, few enough not to measure a queue. */
const CONCURRENCY = 8;

let made = 0;
let reused = 0;
let failed = 0;
const session = resumes ? await firstSession() : undefined;
const until = performance.now() + seconds * 1000;
await Promise.all(Array.from({ length: CONCURRENCY }, work));
process.stdout.write(`${JSON.stringify({ made, reused, failed })}\n`);
process.exit(0);

interface Visit {
  readonly tcp: Socket;
  readonly secure: TLSSocket;
}

function open(session?: Buffer): Visit {
  const tcp = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  tcp.on('error', () => {});
  const resumed = session === undefined ? {} : { session };
  const options = { servername: 'localhost', rejectUnauthorized: false, ecdhCurve: 'X25519', ...resumed };
  const secure = connect({ socket: tcp, minVersion: 'TLSv1.3', ...options });
  secure.on('error', () => {});
  return { tcp, secure };
}

/** Tickets of TLS 1.3 come after the handshake (RFC 8446 §4.6.1). */
async function firstSession(): Promise<Buffer> {
  const { secure } = open();
  const [ticket] = (await once(secure, 'session')) as [Buffer];
  secure.destroy();
  return ticket;
}

async function work(): Promise<void> {
  while (performance.now() < until) {
    const { tcp, secure } = open(session);
    const secured = await new Promise<boolean>((resolve) => {
      secure.once('secureConnect', () => resolve(true));
      secure.once('close', () => resolve(false));
    });
    if (secured) {
      made += 1;
      if (secure.isSessionReused()) reused += 1;
    } else failed += 1;
    // A reset in place of a FIN: the client's port is free again at once, or there would soon be none.
    tcp.resetAndDestroy();
  }
}
