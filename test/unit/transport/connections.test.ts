import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { attempt, begin, destination, FedBody, type Sent, send, transportOf } from '../../kit/attempt.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { deadPort, origin } from '../../kit/origin.ts';

/** A promise and its key. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Origin that answers each request only when `gate` opens. */
async function held(): Promise<{ server: Awaited<ReturnType<typeof origin>>; open: () => void }> {
  const { opened, open } = gate();
  const server = await origin({ script: ['read head', 'read body', { wait: opened }, 'respond 200'] });
  return { server, open };
}

async function allOver(sent: readonly Sent[]): Promise<void> {
  await Promise.all(sent.map((one) => one.heard.over));
}

describe('connections', () => {
  test('are reused, the last one used first', async () => {
    const { server, open } = await held();
    const out = transportOf();
    const to = destination(server.port);
    const three = [1, 2, 3].map(() => begin(out, attempt(to)));
    await server.request(2);
    expect(out.connections(to.connectionKey)).toEqual({ open: 3, busy: 3, queued: 0 });
    open();
    await allOver(three);
    await turn();
    expect(out.connections(to.connectionKey)).toEqual({ open: 3, busy: 0, queued: 0 });
    for (let i = 0; i < 5; i += 1) expect((await send(out, attempt(to))).reused).toEqual([true]);
    expect(new Set(server.received.slice(3).map((received) => received.connection)).size).toBe(1);
    expect(server.accepted).toBe(3);
  });

  test('are never more than the limit; further requests wait their turn', async () => {
    const { server, open } = await held();
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 2, maxQueued: 8 });
    const sent = Array.from({ length: 10 }, (_, i) => begin(out, attempt(to, { target: `/${i}` })));
    await server.request(1);
    expect(out.connections(to.connectionKey)).toEqual({ open: 2, busy: 2, queued: 8 });
    open();
    await allOver(sent);
    expect(server.accepted).toBe(2);
    expect(sent.every(({ heard }) => heard.status === 200)).toBe(true);
    expect(server.received.slice(2).map((received) => received.target)).toEqual([
      '/2',
      '/3',
      '/4',
      '/5',
      '/6',
      '/7',
      '/8',
      '/9',
    ]);
  });

  test('are separate for each connection key', async () => {
    const server = await origin();
    const out = transportOf();
    const one = destination(server.port, { connectionKey: 'one' });
    const other = destination(server.port, { connectionKey: 'other' });
    await send(out, attempt(one));
    expect((await send(out, attempt(other))).reused).toEqual([false]);
    expect((await send(out, attempt(one))).reused).toEqual([true]);
  });

  test('that died while idle are made anew, and nobody is told', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port);
    for (const kill of ['endConnections', 'resetConnections'] as const) {
      await send(out, attempt(to));
      server[kill]();
      await server.idle();
      const heard = await send(out, attempt(to));
      expect([heard.status, heard.reused]).toEqual([200, [false]]);
    }
  });

  test('that die in the very moment of their reuse do no harm before anything is written', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port);
    for (let i = 0; i < 50; i += 1) {
      await send(out, attempt(to));
      server.resetConnections();
      if (i % 2 === 0) await turn();
      const heard = await send(out, attempt(to));
      // Either it was noticed in time, or the engine may repeat it: never anything worse.
      if (heard.error !== null) expect([heard.error.retry, heard.reused]).toEqual(['if-reused', [true]]);
      else expect(heard.status).toBe(200);
    }
  });

  test('are not kept when the endpoint says so, or keep-alive is off', async () => {
    const server = await origin({ script: [{ respond: 200, headers: ['Connection', 'close'] }] });
    const out = transportOf();
    await send(out, attempt(destination(server.port)));
    await server.closed(1);
    const other = await origin();
    await send(out, attempt(destination(other.port, {}, { keepAliveMs: 0 })));
    await other.closed(1);
    expect(other.received[0]?.header('connection')).toBe('close');
  });

  test('close when idle for as long as configured', async () => {
    const out = transportOf();
    const server = await origin();
    await send(out, attempt(destination(server.port, {}, { keepAliveMs: 30 })));
    await server.closed(1);
  });

  test('carry no more requests than configured', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, { maxRequests: 3, maxConnections: 1 });
    const sent = Array.from({ length: 7 }, () => begin(out, attempt(to)));
    await allOver(sent);
    expect(server.received.map(({ connection }) => connection)).toEqual([0, 0, 0, 1, 1, 1, 2]);
    expect(out.traffic(to.connectionKey)).toMatchObject({ opened: 3, reused: 4 });
  });

  test('carry no requests when they have become older than configured', async () => {
    const clock = new ManualClock();
    const server = await origin();
    const out = transportOf({ clock, random: () => 0.5 });
    const to = destination(server.port, {}, { maxAgeMs: 60_000, keepAliveMs: 50_000, connectTimeoutMs: 0 });
    for (const waitMs of [0, 30_000, 26_900, 101]) {
      clock.advance(waitMs);
      await send(out, attempt(to));
    }
    await server.closed(1);
    await send(out, attempt(to));
    expect(server.received.map(({ connection }) => connection)).toEqual([0, 0, 0, 0, 1]);
  });
});

describe('the queue for a connection', () => {
  test('is bounded: one more is refused at once', async () => {
    const { server, open } = await held();
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 1, maxQueued: 1 });
    const sent = [begin(out, attempt(to)), begin(out, attempt(to))];
    const { error, calls } = await send(out, attempt(to));
    expect([error?.code, error?.reason, error?.status, error?.retry, error?.blame, calls]).toEqual([
      'connection_limit_reached',
      'queue-full',
      503,
      'never',
      'gateway',
      ['fail'],
    ]);
    open();
    await allOver(sent);
  });

  test('is left after its timeout', async () => {
    const clock = new ManualClock();
    const { server, open } = await held();
    const out = transportOf({ clock });
    const to = destination(server.port, {}, { maxConnections: 1, queueTimeoutMs: 1000, connectTimeoutMs: 0 });
    const first = begin(out, attempt(to));
    const waiting = begin(out, attempt(to));
    await server.request();
    clock.advance(900);
    expect(waiting.heard.calls).toEqual([]);
    clock.advance(200);
    expect([waiting.heard.error?.reason, waiting.heard.error?.status]).toEqual(['queue-timeout', 503]);
    expect(out.connections(to.connectionKey).queued).toBe(0);
    open();
    await first.heard.over;
  });

  test('moves on when a dial fails, or a busy connection is lost', async () => {
    const out = transportOf();
    const to = destination(await deadPort(), {}, { maxConnections: 1 });
    const sent = [1, 2, 3].map(() => begin(out, attempt(to)));
    await allOver(sent);
    expect(sent.map(({ heard }) => heard.error?.code)).toEqual(Array(3).fill('connection_refused'));
    const dying = await origin({ scripts: [['read head', 'reset'], ['respond 200']] });
    const at = destination(dying.port, {}, { maxConnections: 1 });
    const two = [1, 2].map(() => begin(out, attempt(at)));
    await allOver(two);
    expect(two.map(({ heard }) => heard.status)).toEqual([null, 200]);
  });
});

describe('cancelling', () => {
  test('in the queue leaves nothing behind', async () => {
    const { server, open } = await held();
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 1 });
    const first = begin(out, attempt(to));
    const second = begin(out, attempt(to));
    second.inFlight.cancel();
    expect(out.connections(to.connectionKey)).toEqual({ open: 1, busy: 1, queued: 0 });
    open();
    await first.heard.over;
    await turn();
    expect([server.requests, second.heard.calls]).toEqual([1, []]);
  });

  test('while connecting stops the dial, or hands it to the next in line', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 1 });
    const alone = begin(out, attempt(to));
    alone.inFlight.cancel();
    expect(out.connections(to.connectionKey)).toEqual({ open: 0, busy: 0, queued: 0 });
    const first = begin(out, attempt(to, { target: '/first' }));
    const second = begin(out, attempt(to, { target: '/second' }));
    first.inFlight.cancel();
    await second.heard.over;
    expect(second.heard.status).toBe(200);
    expect([alone.heard.calls, first.heard.calls]).toEqual([[], []]);
    expect(server.received.map((received) => received.target)).toEqual(['/second']);
  });

  test('before the head closes the connection', async () => {
    const server = await origin({ script: ['read head', 'silent'] });
    const { heard, inFlight } = begin(transportOf(), attempt(destination(server.port)));
    await server.request();
    inFlight.cancel();
    inFlight.cancel();
    await server.closed(1);
    expect(heard.calls).toEqual(['sent']);
  });

  test('within the request body closes the connection and lets go of the body', async () => {
    const server = await origin({ script: ['read head', 'read body', 'silent'] });
    const body = new FedBody(100);
    const { heard, inFlight } = begin(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
    await body.piped;
    body.feed('abc');
    await server.request();
    inFlight.cancel();
    await server.closed(1);
    expect([heard.calls, body.unpipes]).toEqual([['sent'], 1]);
  });

  test('within the response body closes the connection', async () => {
    const server = await origin({ script: ['read head', { send: 'HTTP/1.1 200 OK\r\n\r\nabc' }, 'silent'] });
    const { heard, inFlight } = begin(transportOf(), attempt(destination(server.port)));
    await heard.begun;
    inFlight.cancel();
    await server.closed(1);
    expect(heard.calls.slice(0, 2)).toEqual(['sent', 'head']);
    expect(heard.error).toBeNull();
  });

  test.each(['sent', 'head', 'data'] as const)('from within %s is obeyed', async (where) => {
    const server = await origin({ scripts: [['respond 200', 'silent'], ['respond 200']] });
    const out = transportOf();
    const { heard, inFlight } = begin(out, attempt(destination(server.port)));
    const original = heard[where].bind(heard) as (argument: never) => never;
    heard[where] = ((argument: never) => {
      inFlight.cancel();
      return original(argument);
    }) as never;
    await server.closed(1);
    expect(heard.calls.at(-1)).toBe(where);
    expect((await send(out, attempt(destination(server.port)))).reused).toEqual([false]);
  });

  test('after the end does nothing: the connection belongs to others', async () => {
    const server = await origin();
    const out = transportOf();
    const done = begin(out, attempt(destination(server.port)));
    await done.heard.over;
    done.inFlight.cancel();
    expect((await send(out, attempt(destination(server.port)))).reused).toEqual([true]);
  });
});

describe('the time limit', () => {
  test('for the response head counts from the last byte of the request', async () => {
    const clock = new ManualClock();
    const server = await origin({ script: ['read head', 'read body', 'silent'] });
    const body = new FedBody(6);
    const out = transportOf({ clock });
    const to = destination(server.port, {}, { connectTimeoutMs: 0 });
    const { heard } = begin(out, attempt(to, { method: 'POST', body, headTimeoutMs: 1000 }));
    await body.piped;
    body.feed('abc');
    await server.request();
    // The client takes its time: that is not the endpoint's fault.
    clock.advance(5000);
    expect(heard.error).toBeNull();
    body.feed('abc');
    body.finish();
    await server.complete();
    clock.advance(900);
    expect(heard.error).toBeNull();
    clock.advance(200);
    expect([heard.error?.code, heard.error?.status, heard.error?.retry]).toEqual([
      'http_response_timeout',
      504,
      'never',
    ]);
    await server.closed(1);
  });

  test('does not end a response whose head came in time', async () => {
    const clock = new ManualClock();
    const { opened, open } = gate();
    const server = await origin({
      script: [
        'read head',
        { send: 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na' },
        { wait: opened },
        { send: 'bc' },
      ],
    });
    const out = transportOf({ clock });
    const to = destination(server.port, {}, { connectTimeoutMs: 0, keepAliveMs: 0 });
    const { heard } = begin(out, attempt(to, { headTimeoutMs: 1000 }));
    await heard.begun;
    clock.advance(60_000);
    open();
    await heard.over;
    expect([heard.body, clock.pending]).toEqual(['abc', 0]);
  });

  test('ends an upload that the endpoint does not take', async () => {
    const clock = new ManualClock();
    const { opened, open } = gate();
    const server = await origin({ script: ['stop reading', { wait: opened }, 'resume reading', 'read end'] });
    const out = transportOf({ clock });
    const body = new FedBody(null);
    const to = destination(server.port, {}, { connectTimeoutMs: 0 });
    const { heard } = begin(out, attempt(to, { method: 'POST', body, headTimeoutMs: 1000 }));
    await body.piped;
    const chunk = Buffer.alloc(256 * 1024);
    for (let quiet = 0; quiet < 20; ) {
      if (body.stopped) quiet += 1;
      else {
        quiet = 0;
        body.feed(chunk);
      }
      await turn();
    }
    clock.advance(2500);
    expect([heard.error?.code, heard.error?.status]).toEqual(['connection_write_timeout', 504]);
    open();
    await server.closed(1);
  });
});

describe('retaining', () => {
  test('closes idle connections of other keys now, busy ones when they are through', async () => {
    const { server, open } = await held();
    const quick = await origin();
    const out = transportOf();
    const gone = destination(server.port);
    const kept = destination(quick.port);
    const idle = destination(quick.port, { connectionKey: 'idle' });
    await send(out, attempt(kept));
    await send(out, attempt(idle));
    const busy = begin(out, attempt(gone));
    await server.request();
    out.retain(new Set([kept.connectionKey]));
    await quick.closed(1);
    expect(busy.heard.error).toBeNull();
    open();
    await busy.heard.over;
    expect(busy.heard.status).toBe(200);
    await server.closed(1);
    expect((await send(out, attempt(kept))).reused).toEqual([true]);
    expect(out.connections('idle')).toEqual({ open: 0, busy: 0, queued: 0 });
  });

  test('lets an exchange of an older snapshot still send, on a connection of its own', async () => {
    const server = await origin();
    const out = transportOf();
    out.retain(new Set());
    expect((await send(out, attempt(destination(server.port)))).status).toBe(200);
    await server.closed(1);
  });

  test('a key that comes back keeps its connections again', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port);
    out.retain(new Set());
    await send(out, attempt(to));
    await server.closed(1);
    out.retain(new Set([to.connectionKey]));
    await send(out, attempt(to));
    expect((await send(out, attempt(to))).reused).toEqual([true]);
  });
});

describe('draining', () => {
  test('waits for what is under way, then everything is closed', async () => {
    const { server, open } = await held();
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 1 });
    const sent = [1, 2].map(() => begin(out, attempt(to)));
    await server.request();
    const drained = Promise.all([out.drain(60_000), out.drain(60_000)]);
    open();
    await drained;
    expect(sent.map(({ heard }) => heard.status)).toEqual([200, 200]);
    await server.idle();
    const late = await send(out, attempt(to));
    expect([late.error?.code, late.error?.status]).toEqual(['destination_unavailable', 503]);
  });

  test('ends at its deadline: what is left fails', async () => {
    const clock = new ManualClock();
    const server = await origin({ script: ['read head', 'silent'] });
    const out = transportOf({ clock });
    const to = destination(server.port, {}, { maxConnections: 1, connectTimeoutMs: 0 });
    const sent = [1, 2].map(() => begin(out, attempt(to)));
    await server.request();
    const drained = out.drain(1000);
    clock.advance(1000);
    await drained;
    await allOver(sent);
    expect(sent.map(({ heard }) => heard.error?.code)).toEqual(['connection_terminated', 'destination_unavailable']);
    await server.idle();
  });

  test('with nothing open resolves at once', async () => {
    await transportOf().drain(60_000);
  });
});
