import { expect, test, vi } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { CoarseClock } from '../../../src/clock.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { ReplayMemory } from '../../../src/engine/kept-chunks.ts';
import { OpenTunnels } from '../../../src/engine/open-tunnels.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { ScriptedClient } from '../../kit/scripted-client.ts';
import { type ScriptedAttempt, ScriptedTransport } from '../../kit/scripted-transport.ts';

/** Stores a body of `bytes` and returns the chunks, by identity, that each of two hits gave to its client, and those in the store. */
function chunksOfHits(bytes: number): { readonly stored: readonly Uint8Array[]; readonly given: Uint8Array[][] } {
  const loaded = configFromObject({
    listeners: { web: { port: 0 } },
    pools: { shop: { endpoints: ['127.0.0.1:3000'] } },
    routes: [{ name: 'all', pool: 'shop', cache: true }],
  });
  const compiled = loaded.ok ? compileOnly(loaded) : null;
  if (compiled?.ok !== true) throw new Error('Cannot compile');
  const { snapshot } = compiled;
  const clock = new ManualClock();
  const transport = new ScriptedTransport();
  const engine = new Engine(
    {
      transport,
      clock,
      deadlines: new CoarseClock(clock),
      observer: { finished: () => {}, refreshed: () => {} },
      streams: { open: () => ({ cancel: () => {} }), connections: () => 0, drain: () => Promise.resolve() },
      streamObserver: { streamFinished: () => {} },
      newRequestId: () => 'id',
      replay: new ReplayMemory(0),
      random: () => 0.5,
      overload: null,
      tunnels: new OpenTunnels(clock),
    },
    snapshot,
  );
  const ask = (): Uint8Array[] => {
    const client = new ScriptedClient({ method: 'GET', target: '/a', headers: ['Host', 'shop.test'] });
    const respond = vi.spyOn(client, 'respond');
    const data = vi.spyOn(client, 'data');
    engine.handle(client.exchange);
    const whole = respond.mock.calls.flatMap(([, body]) => (body === null ? [] : [body]));
    return [...whole, ...data.mock.calls.map(([chunk]) => chunk)];
  };
  ask();
  const attempt = transport.attempts[0] as ScriptedAttempt;
  const date = formatHttpDate(clock.now());
  attempt.head({
    status: 200,
    headers: ['Date', date, 'Cache-Control', 'max-age=60', 'Content-Length', String(bytes)],
  });
  attempt.data(Buffer.alloc(bytes, 'x'));
  attempt.end();
  const [entry] = snapshot.cache.store.get('http://shop.test/a');
  return { stored: entry?.body.chunks ?? [], given: [ask(), ask()] };
}

test.each([
  ['1 KiB', 1024, 1],
  ['200 KiB', 200 * 1024, 4],
])(
  'a hit copies nothing of a body of %s: every client gets the very chunks that are stored',
  (_size, bytes, chunks) => {
    const { stored, given } = chunksOfHits(bytes);
    expect(stored).toHaveLength(chunks);
    for (const each of given) {
      expect(each).toHaveLength(chunks);
      expect(each.every((chunk, i) => chunk === stored[i])).toBe(true);
    }
  },
);
