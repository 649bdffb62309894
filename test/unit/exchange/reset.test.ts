import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resetSocket } from '../../../src/exchange/reset.ts';
import { inTime } from '../../kit/deadline.ts';
import { stopAfterTest } from '../../kit/stop.ts';

/** Both ends of a connection; `path` for one over a Unix socket. */
async function pair(path?: string): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(path === undefined ? { port: 0, host: '127.0.0.1' } : { path });
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const near = connect({
    ...(path === undefined ? { port: (server.address() as AddressInfo).port, host: '127.0.0.1' } : { path }),
    allowHalfOpen: true,
  });
  const [far] = (await accepted) as [Socket];
  await inTime(near.connecting ? once(near, 'connect') : Promise.resolve([]), 'a connection');
  server.close();
  stopAfterTest(() => {
    near.destroy();
    far.destroy();
  });
  return { near, far };
}

/** `reset` or `end`: how the far side sees the close. */
async function seenBy(far: Socket): Promise<string> {
  let seen = 'end';
  far.on('error', () => {
    seen = 'reset';
  });
  far.on('end', () => far.end());
  far.resume();
  await inTime(new Promise((resolve) => far.once('close', resolve)), 'the far side to close');
  return seen;
}

test('an open connection is reset', async () => {
  const { near, far } = await pair();
  resetSocket(near);
  expect(await seenBy(far)).toBe('reset');
  expect(near.closed).toBe(true);
});

test('one whose last bytes are still waiting is reset: they were not all', async () => {
  const { near, far } = await pair();
  near.on('error', () => {});
  while (near.write(Buffer.alloc(1 << 20)));
  near.end();
  resetSocket(near);
  expect(await seenBy(far)).toBe('reset');
});

test('one whose FIN is on its way is closed, and tells so', async () => {
  const { near, far } = await pair();
  near.end();
  const closed = once(near, 'close');
  resetSocket(near);
  await inTime(closed, 'the close');
  expect(await seenBy(far)).toBe('end');
});

test('one that has sent its FIN is reset', async () => {
  const { near } = await pair();
  near.end();
  await inTime(once(near, 'finish'), 'the FIN');
  const closed = once(near, 'close');
  resetSocket(near);
  await inTime(closed, 'the close');
});

test('a Unix socket, which has no resets, is closed', async () => {
  const { near, far } = await pair(join(tmpdir(), `headgate-reset-${process.pid}.sock`));
  resetSocket(near);
  expect(await seenBy(far)).toBe('end');
});

test('a socket that is gone already is let be', async () => {
  const { near } = await pair();
  near.destroy();
  await inTime(once(near, 'close'), 'the close');
  resetSocket(near);
  expect(near.errored).toBe(null);
});
