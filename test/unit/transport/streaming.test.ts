import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { attempt, begin, destination, FedBody, Heard, send, transportOf } from '../../kit/attempt.ts';
import { origin } from '../../kit/origin.ts';

const MIB = 1024 * 1024;

/** Takes a chunk, then nothing for a turn of the event loop: a client slower than the endpoint. */
class SlowReader extends Heard {
  peakRss = 0;
  largestBurst = 0;
  #sinceStop = 0;

  override data(chunk: Uint8Array): boolean {
    super.data(chunk);
    this.#sinceStop += chunk.length;
    this.largestBurst = Math.max(this.largestBurst, this.#sinceStop);
    setImmediate(() => {
      this.peakRss = Math.max(this.peakRss, process.memoryUsage.rss());
      this.#sinceStop = 0;
      this.onDrain?.();
    });
    return false;
  }
}

describe('a response', () => {
  test('of 256 MiB to a slow reader stays within bounded memory', async () => {
    const size = 256 * MIB;
    const server = await origin({
      script: ['read head', { send: `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n` }, { fill: size }],
    });
    const out = transportOf();
    const heard = new SlowReader();
    heard.keepBody = false;
    const before = process.memoryUsage.rss();
    out.send(attempt(destination(server.port)), heard);
    await heard.over;
    expect([heard.bytes, heard.calls.at(-1)]).toEqual([size, 'end']);
    // What one read of the socket brings; the parser stops within it only between chunks.
    expect(heard.largestBurst).toBeLessThanOrEqual(MIB);
    // Origin, transport and reader live in this process together, and its collector takes its time.
    expect(heard.peakRss - before).toBeLessThan(128 * MIB);
  });

  test('to a reader that has stopped does not go on', async () => {
    const server = await origin({
      script: [
        'read head',
        { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' },
        { send: `${(64 * MIB).toString(16)}\r\n` },
        { fill: 64 * MIB },
      ],
    });
    const { heard, inFlight } = begin(transportOf(), attempt(destination(server.port)));
    heard.accepting = false;
    heard.keepBody = false;
    await heard.begun;
    while (heard.bytes === 0) await turn();
    const stopped = heard.bytes;
    for (let i = 0; i < 100; i += 1) await turn();
    expect(heard.bytes).toBe(stopped);
    heard.onDrain?.();
    for (let i = 0; i < 100 && heard.bytes === stopped; i += 1) await turn();
    expect(heard.bytes).toBeGreaterThan(stopped);
    inFlight.cancel();
    await server.closed(1);
  });

  test('whose endpoint dies while its reader has stopped still fails', async () => {
    const server = await origin({
      script: ['read head', { send: `HTTP/1.1 200 OK\r\nContent-Length: ${MIB}\r\n\r\nabc` }, 'end', 'read end'],
    });
    const { heard } = begin(transportOf(), attempt(destination(server.port)));
    heard.accepting = false;
    await heard.begun;
    while (heard.bytes === 0) await turn();
    for (let i = 0; i < 20; i += 1) await turn();
    heard.onDrain?.();
    await heard.over;
    expect([heard.body, heard.error?.code]).toEqual(['abc', 'http_response_incomplete']);
  });

  test('resumed from within another response’s data goes on', async () => {
    const server = await origin({
      script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab' }, { wait: turn }, { send: 'cd' }],
    });
    const out = transportOf();
    const to = destination(server.port);
    const paused = begin(out, attempt(to));
    paused.heard.accepting = false;
    await paused.heard.begun;
    while (paused.heard.bytes === 0) await turn();
    const other = new Heard();
    const { data } = other;
    other.data = (chunk) => {
      paused.heard.accepting = true;
      paused.heard.onDrain?.();
      return data.call(other, chunk);
    };
    out.send(attempt(to), other);
    await Promise.all([other.over, paused.heard.over]);
    expect([other.body, paused.heard.body, paused.heard.error]).toEqual(['abcd', 'abcd', null]);
  });

  test('drained late, after its end, does not wake the next one on its connection', async () => {
    const server = await origin({
      scripts: [['respond 200', 'read head', { send: 'HTTP/1.1 200 OK\r\n\r\n' }, { fill: 4 * MIB }, 'end']],
    });
    const out = transportOf();
    const first = await send(out, attempt(destination(server.port)));
    const late = first.onDrain;
    const { heard, inFlight } = begin(out, attempt(destination(server.port)));
    heard.accepting = false;
    heard.keepBody = false;
    await heard.begun;
    while (heard.bytes === 0) await turn();
    const stopped = heard.bytes;
    late?.();
    for (let i = 0; i < 50; i += 1) await turn();
    expect(heard.bytes).toBe(stopped);
    inFlight.cancel();
  });
});

describe('a request body', () => {
  test.each([
    ['by length', 64 * MIB],
    ['in chunks', null],
  ])('of 64 MiB %s to a slow endpoint holds its sender back', async (_how, length) => {
    const size = 64 * MIB;
    const server = await origin({ script: ['read head', 'discard body', 'respond 200'] });
    const body = new FedBody(length);
    const { heard } = begin(transportOf(), attempt(destination(server.port), { method: 'POST', body }));
    await body.piped;
    const before = process.memoryUsage.rss();
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let peak = 0;
    for (let left = size; left > 0; left -= chunk.length) {
      if (!body.feed(chunk)) await body.drained();
      if (left % MIB === 0) peak = Math.max(peak, process.memoryUsage.rss());
    }
    body.finish();
    await heard.over;
    expect([heard.status, server.received[0]?.bodyBytes]).toEqual([200, size]);
    expect(body.drains).toBeGreaterThan(10);
    expect(peak - before).toBeLessThan(64 * MIB);
  });

  test('is not touched while its request waits, and may go elsewhere when it can’t be sent', async () => {
    const server = await origin({ script: ['read head', 'silent'] });
    const out = transportOf();
    const to = destination(server.port, {}, { maxConnections: 1 });
    begin(out, attempt(to));
    const body = new FedBody(3);
    const waiting = begin(out, attempt(to, { method: 'POST', body }));
    await server.request();
    expect([body.untouched, body.pipes]).toEqual([true, 0]);
    waiting.inFlight.cancel();
    expect([body.untouched, body.pipes, body.unpipes]).toEqual([true, 0, 0]);
  });

  test('of an attempt that failed is let go before the failure is told: the next attempt has it for itself', async () => {
    const failing = await origin({ scripts: [['read head', 'reset']] });
    const good = await origin();
    const out = transportOf();
    const body = new FedBody(5);
    const first = new Heard();
    const second = new Heard();
    const { fail } = first;
    first.fail = (cause) => {
      fail.call(first, cause);
      out.send(attempt(destination(good.port), { method: 'PUT', body }), second);
    };
    out.send(attempt(destination(failing.port), { method: 'PUT', body }), first);
    await body.piped;
    body.feed('hel');
    await first.over;
    while (body.pipes < 2) await turn();
    for (let i = 0; i < 10; i += 1) await turn();
    body.feed('hello');
    body.finish();
    await second.over;
    expect([second.status, good.received[0]?.text, body.unpipes]).toEqual([200, 'hello', 1]);
  });
});
