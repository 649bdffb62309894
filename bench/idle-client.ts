/**
 * Holds kept-alive connections: `node bench/idle-client.ts PORT COUNT plain|tls`. Each makes one request and then stays silent.
 * Prints `held N` when all are made, and lets go when its standard input ends.
 */
import { once } from 'node:events';
import { type Socket, connect as tcpConnect } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';

const [port, count] = process.argv.slice(2, 4).map(Number);
if (port === undefined || count === undefined) throw new Error('Give a port and a number of connections');
const secure = process.argv[4] === 'tls';

/** Handshakes at a time: a queue of more would only measure the queue. */
const CONCURRENCY = 32;
/** From several addresses, as many clients would be: one has 28 000 ports at most. */
const ADDRESSES = 40;

const held: Socket[] = [];
let next = 0;

async function work(): Promise<void> {
  while (next < (count as number)) {
    const index = next++;
    held.push(await hold(`127.0.0.${2 + (index % ADDRESSES)}`));
  }
}

async function hold(localAddress: string): Promise<Socket> {
  // `localAddress` is net's, and tls passes it on.
  const options: ConnectionOptions & { port: number; localAddress: string } = {
    ...{ port: port as number, host: '127.0.0.1', localAddress },
    ...(secure ? { rejectUnauthorized: false } : {}),
  };
  const socket = secure ? tlsConnect(options) : tcpConnect(options);
  await once(socket, secure ? 'secureConnect' : 'connect');
  socket.on('error', () => {});
  socket.write('GET /1k HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(socket, 'data');
  socket.resume();
  return socket;
}

await Promise.all(Array.from({ length: CONCURRENCY }, work));
const open = held.filter((socket) => !socket.destroyed).length;
process.stdout.write(`held ${open}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
process.exit(0);
