import { describe, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { RawClient } from '../kit/raw-client.ts';

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
]);
/** HEADERS of `GET https://a/` on stream 1, the end of it. */
const REQUEST = Buffer.from(`000006010500000001${'828784410161'}`, 'hex');
/** NO_ERROR, no stream of the server's processed. */
const GOAWAY = Buffer.from(`000008070000000000${'0000000000000000'}`, 'hex');

describe('a client that has said GOAWAY', () => {
  test.each([
    ['and then breaks the protocol and leaves', 'no frame at all, and too long for one'],
    ['and vanishes', ''],
  ])('%s is given up, with all its streams', async (_what, garbage) => {
    const clock = new ManualClock();
    const listener = await startListener({ tls: true, clock });
    const client = await RawClient.connect({ port: listener.port, tls: { alpn: ['h2'] } });
    await client.sendAll(Buffer.concat([PREFACE, REQUEST]));
    const held = await listener.inbox.next();
    await client.sendAll(GOAWAY);
    // The listener's own: it takes no more streams either.
    await client.until('\x07\x00\x00\x00\x00\x00');
    if (garbage !== '') {
      await client.sendAll(garbage);
      // Node's session has stopped reading with its second GOAWAY, and never hears of this client again.
      await client.until('\x07\x00\x00\x00\x00\x00');
      client.destroy();
    }
    clock.advance(6_000);
    // The question leaves, and its time starts, with the next turn.
    for (let turns = 0; turns < 2; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(16_000);
    await held.left();
    await until(() => listener.listener.connections === 0, 'the connection to be gone');
  });

  test('and waits for its last answer may wait on', async () => {
    const clock = new ManualClock();
    const listener = await startListener({ tls: true, clock });
    const client = await RawClient.connect({ port: listener.port, tls: { alpn: ['h2'] } });
    await client.sendAll(Buffer.concat([PREFACE, REQUEST]));
    const held = await listener.inbox.next();
    await client.sendAll(GOAWAY);
    await client.until('\x07\x00\x00\x00\x00\x00');
    for (let minute = 0; minute < 5; minute += 1) {
      clock.advance(62_000);
      // Empty SETTINGS; their acknowledgement, and a PING that the listener answers once it has read that.
      await client.until('\x00\x00\x00\x04\x00\x00\x00\x00\x00');
      const mark = `minute ${minute}`;
      await client.sendAll(
        Buffer.from(`000000040100000000000008060000000000${Buffer.from(mark).toString('hex')}`, 'hex'),
      );
      await client.until(mark);
    }
    expect(held.gone).toHaveLength(0);
    held.respond(200, [], 'at last');
    await client.until('at last');
  });
});
