import { connect, type Socket } from 'node:net';
import { within } from './patience.ts';
import type { SeededRandom } from './random.ts';

/** When a client leaves. */
export const STAGES = [
  'before a byte',
  'inside the request head',
  'after the head, before an answer',
  'inside the request body',
  'at the first byte of the answer',
  'inside the answer',
  'inside a tunnel',
  'after the answer',
] as const;
export type Stage = (typeof STAGES)[number];

const UPGRADE =
  'GET /tunnel HTTP/1.1\r\nHost: abort.test\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n\r\nfirst bytes of the client';

/** What is sent at each stage; the requests ask for what the endpoint of this test knows. */
const REQUESTS: Readonly<Record<Stage, string>> = {
  'before a byte': '',
  'inside the request head': 'GET /fine HTTP/1.1\r\nHost: abort.te',
  'after the head, before an answer': 'GET /never HTTP/1.1\r\nHost: abort.test\r\n\r\n',
  'inside the request body': `POST /never HTTP/1.1\r\nHost: abort.test\r\nContent-Length: 100000\r\n\r\n${'b'.repeat(5000)}`,
  'at the first byte of the answer': 'GET /endless HTTP/1.1\r\nHost: abort.test\r\n\r\n',
  'inside the answer': 'GET /endless HTTP/1.1\r\nHost: abort.test\r\n\r\n',
  'inside a tunnel': UPGRADE,
  'after the answer': 'GET /fine HTTP/1.1\r\nHost: abort.test\r\n\r\n',
};

/** Bytes of answer to wait for before leaving; 0 for none. */
const READ_BEFORE: Readonly<Record<Stage, number>> = {
  'before a byte': 0,
  'inside the request head': 0,
  'after the head, before an answer': 0,
  'inside the request body': 0,
  'at the first byte of the answer': 1,
  'inside the answer': 100_000,
  'inside a tunnel': 100,
  'after the answer': 60,
};

/**
 * Opens a connection, goes as far as `stage`, and leaves: by a reset or a close, after a moment or at once, as `random` has
 * it. Resolves when the connection is gone.
 */
export async function abortAt(stage: Stage, port: number, random: SeededRandom): Promise<void> {
  const reset = random.below(2) === 0;
  // So many turns of the event loop before leaving: the gateway is met in every state on the way.
  const turns = random.below(12);
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  // What follows an error is `close`.
  socket.on('error', () => {});
  const goAhead = Promise.race([ready(socket, stage), closed]);
  await within(goAhead, `a connection ${stage}`);
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (reset) socket.resetAndDestroy();
  else socket.destroy();
  await closed;
}

/** Resolves when what the stage sends was sent, and what it reads was read. */
function ready(socket: Socket, stage: Stage): Promise<void> {
  return new Promise((resolve) => {
    const wanted = READ_BEFORE[stage];
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
      if (received >= wanted && wanted > 0) resolve();
    });
    socket.once('connect', () => {
      const text = REQUESTS[stage];
      if (text !== '') socket.write(text);
      if (wanted === 0) resolve();
    });
  });
}
