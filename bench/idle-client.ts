/**
 * Holds kept-alive TLS connections: `node bench/idle-client.ts PORT COUNT`. Each makes one request and then stays silent.
 * Prints `held N` when all are made, and lets go when its standard input ends.
 */
import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

const [port, count] = process.argv.slice(2).map(Number);
if (port === undefined || count === undefined) throw new Error('Give a port and a number of connections');

/** Handshakes at a time: a queue of more would only measure the queue. */
const CONCURRENCY = 32;
/** From several addresses, as many clients would be: one has 28 000 ports at most. */
const ADDRESSES = 40;

const held: TLSSocket[] = [];
let next = 0;

async function work(): Promise<void> {
  while (next < (count as number)) {
    const index = next++;
    held.push(await hold(`127.0.0.${2 + (index % ADDRESSES)}`));
  }
}

async function hold(localAddress: string): Promise<TLSSocket> {
  // `localAddress` is net's, and tls passes it on.
  const options: ConnectionOptions & { localAddress: string } = {
    port: port as number,
    host: '127.0.0.1',
    localAddress,
    rejectUnauthorized: false,
  };
  const socket = connect(options);
  await once(socket, 'secureConnect');
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
