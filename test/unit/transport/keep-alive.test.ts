import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Attempt, Destination } from '../../../src/exchange/attempt.ts';
import type { Http1Transport } from '../../../src/transport/http1.ts';
import { attempt, destination, type Heard, readyBody, send, transportOf } from '../../kit/attempt.ts';
import { until } from '../../kit/deadline.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { origin } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

/** Long enough that only the endpoint's own time matters. */
const LIMITS = { keepAliveMs: 60_000, connectTimeoutMs: 0, maxConnections: 64 };

/** A transport on a clock that is moved by hand. */
function still(): { out: Http1Transport; clock: ManualClock } {
  const clock = new ManualClock();
  return { out: transportOf({ clock, random: () => 0 }), clock };
}

async function saying(keepAlive: string): Promise<{ to: Destination; server: Awaited<ReturnType<typeof origin>> }> {
  const server = await origin({ script: [{ respond: 200, headers: ['Keep-Alive', keepAlive] }] });
  return { to: destination(server.port, {}, LIMITS), server };
}

describe('a connection whose endpoint says timeout=5', () => {
  test('is reused for 3.75 s and closed before the endpoint does it', async () => {
    const { out, clock } = still();
    const { to, server } = await saying('timeout=5');
    await send(out, attempt(to));
    clock.advance(3700);
    expect((await send(out, attempt(to))).reused).toEqual([true]);
    clock.advance(3900);
    await server.closed(1);
    expect((await send(out, attempt(to))).reused).toEqual([false]);
    expect(out.traffic(to.connectionKey)).toMatchObject({ opened: 2, reused: 1, retired: 1, racesLost: 0 });
  });

  test('is left alone by requests that could not be repeated after 2.5 s already', async () => {
    const { out, clock } = still();
    const { to } = await saying('max=10, Timeout = 5');
    await send(out, attempt(to));
    clock.advance(2400);
    expect((await send(out, post(to))).reused).toEqual([true]);
    clock.advance(2600);
    expect((await send(out, post(to))).reused).toEqual([false]);
    clock.advance(2400);
    expect((await send(out, attempt(to))).reused).toEqual([true]);
  });

  test('makes room for a request that could not be repeated when there may be no other', async () => {
    const { out, clock } = still();
    const { to: any, server } = await saying('timeout=5');
    const to = { ...any, limits: { ...any.limits, maxConnections: 1 } };
    await send(out, attempt(to));
    clock.advance(2600);
    expect((await send(out, post(to))).reused).toEqual([false]);
    await server.closed(1);
  });
});

test('a connection whose endpoint says timeout=1 is used again, undisturbed by its margin', async () => {
  const { out, clock } = still();
  const { to } = await saying('timeout=1');
  await send(out, attempt(to));
  clock.advance(600);
  expect((await send(out, attempt(to))).reused).toEqual([true]);
});

test('a connection whose endpoint says timeout=0 is closed at once', async () => {
  const { out } = still();
  const { to, server } = await saying('timeout=0');
  await send(out, attempt(to));
  await server.closed(1);
});

describe('an endpoint that closes idle connections without having said so', () => {
  test('teaches by it how long they may be used', async () => {
    const { out, clock } = still();
    const { to, server } = await silent(clock, 2000);
    await send(out, attempt(to));
    clock.advance(2000);
    await until(() => out.connections(to.connectionKey).open === 0, 'the first to be closed');
    await send(out, attempt(to));
    clock.advance(1400);
    expect((await send(out, attempt(to))).reused).toEqual([true]);
    clock.advance(1600);
    expect((await send(out, attempt(to))).reused).toEqual([false]);
    expect(server.accepted).toBe(3);
  });

  test('shows by one connection, which is not used, that it still does', async () => {
    const { out, clock } = still();
    const { to } = await silent(clock, 2000);
    await send(out, attempt(to));
    clock.advance(2000);
    await until(() => out.connections(to.connectionKey).open === 0, 'the first to be closed');
    await Promise.all([send(out, attempt(to)), send(out, attempt(to)), send(out, attempt(to))]);
    await until(() => out.connections(to.connectionKey).busy === 0, 'all of them to be idle');
    clock.advance(1900);
    expect(out.connections(to.connectionKey)).toEqual({ open: 1, busy: 0, queued: 0 });
    clock.advance(100);
    await until(() => out.connections(to.connectionKey).open === 0, 'the last to be closed');
    expect(out.traffic(to.connectionKey)).toMatchObject({ retired: 2, racesLost: 0 });
  });

  test('that was only restarted is believed again after two connections lived longer', async () => {
    const { out, clock } = still();
    const { to, server } = await silent(clock, 10_000);
    await send(out, attempt(to));
    clock.advance(500);
    server.closeAll();
    await until(() => out.connections(to.connectionKey).open === 0, 'the restart to be noticed');
    for (let i = 0; i < 2; i += 1) {
      await send(out, attempt(to));
      clock.advance(400);
      expect((await send(out, attempt(to))).reused).toEqual([false]);
      clock.advance(10_000);
      await until(() => out.connections(to.connectionKey).open === 0, 'the watched one to be closed');
    }
    await send(out, attempt(to));
    clock.advance(7000);
    expect((await send(out, attempt(to))).reused).toEqual([true]);
  });
});

test('a request that crosses the close is counted, tells it may be repeated if it is safe, and teaches', async () => {
  const { out, clock } = still();
  const server = await origin({ scripts: [['respond 200', 'read head', 'close'], ['respond 200']] });
  const to = destination(server.port, {}, LIMITS);
  await send(out, attempt(to));
  clock.advance(3000);
  expect((await send(out, attempt(to))).error?.retry).toBe('if-reused');
  await send(out, attempt(to));
  clock.advance(2500);
  expect((await send(out, attempt(to))).reused).toEqual([false]);
  expect(out.traffic(to.connectionKey)).toMatchObject({ opened: 3, reused: 1, racesLost: 1 });
});

test('connections that the endpoint ends by an answer with close, or by bytes nobody asked for, teach nothing', async () => {
  const { out, clock } = still();
  const server = await origin({
    scripts: [[{ respond: 200, headers: ['Connection', 'close'] }], ['respond 200']],
  });
  const to = destination(server.port, {}, LIMITS);
  await send(out, attempt(to));
  await server.closed(1);
  await send(out, attempt(to));
  clock.advance(50_000);
  expect((await send(out, attempt(to))).reused).toEqual([true]);
});

test.each([
  ['says timeout=1', 1000, true],
  ['says timeout=5', 5000, true],
  ['says nothing and closes after 1 s', 1000, false],
  ['says nothing and closes after 5 s', 5000, false],
])('no request is lost to an endpoint that %s, however far apart they are', async (_what, timeoutMs, says) => {
  const { out, clock } = still();
  const { to, server } = await silent(clock, timeoutMs, says);
  let seed = 7;
  const heard: Heard[] = [];
  for (let i = 0; i < 400; i += 1) {
    heard.push(await send(out, i % 2 === 0 ? attempt(to) : post(to)));
    seed = (seed * 48_271) % 2_147_483_647;
    const waitMs = timeoutMs * (0.3 + (0.9 * seed) / 2_147_483_647);
    // In steps, so that what is closed is seen to be closed when it is.
    for (let step = 0; step < 40; step += 1) {
      clock.advance(waitMs / 40);
      for (let turns = 0; turns < 3; turns += 1) await turn();
    }
  }
  expect(heard.filter(({ status }) => status !== 200)).toEqual([]);
  const traffic = out.traffic(to.connectionKey);
  expect(traffic?.racesLost).toBe(0);
  expect(traffic?.reused).toBeGreaterThan(50);
  expect(server.accepted).toBe(traffic?.opened);
  expect(Math.max(...server.idledMs)).toBeGreaterThan(timeoutMs * 0.3);
  expect(Math.max(...server.idledMs)).toBeLessThanOrEqual(timeoutMs - 300);
});

function post(to: Destination): Attempt {
  return attempt(to, { method: 'POST', headers: ['Host', 'shop.test', 'Content-Length', '1'], body: readyBody('x') });
}

/** An endpoint whose idle connections end after `timeoutMs` of `clock`, and that says so if it `says`. */
async function silent(clock: ManualClock, timeoutMs: number, says = false) {
  const sockets = new Set<{ end(): void; destroy(): void }>();
  const idledMs: number[] = [];
  const made = { accepted: 0, ended: 0, idledMs, closeAll: () => sockets.forEach((socket) => void socket.end()) };
  const keepAlive = says ? `Keep-Alive: timeout=${timeoutMs / 1000}\r\n` : '';
  const server = createServer((socket) => {
    made.accepted += 1;
    sockets.add(socket);
    let timer: object | null = null;
    let answeredAt = clock.monotonic();
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      if (timer !== null) clock.cancel(timer);
      const text = chunk.toString('latin1');
      // The only body there is comes in a packet of its own, or with its head.
      if (text.endsWith('\r\n\r\n') && text.startsWith('POST')) return;
      // How close to its end a connection was used again, once it is known when that is.
      if (says || made.ended > 0) idledMs.push(clock.monotonic() - answeredAt);
      answeredAt = clock.monotonic();
      timer = clock.after(timeoutMs, () => {
        made.ended += 1;
        socket.end();
      });
      socket.write(`HTTP/1.1 200 OK\r\n${keepAlive}Content-Length: 2\r\n\r\nok`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { to: destination((server.address() as AddressInfo).port, {}, LIMITS), server: made };
}
