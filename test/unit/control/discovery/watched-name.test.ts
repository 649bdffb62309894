import { expect, test } from 'vitest';
import { WatchedName } from '../../../../src/control/discovery/watched-name.ts';
import type { OwnFamilies } from '../../../../src/upstream/discovery/reachable.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';

test('the addresses of this machine are looked up once after each answer, however often those of the name are asked for', async () => {
  let lookups = 0;
  let heard = 0;
  let own: OwnFamilies = { ipv4: true, ipv6: 'none' };
  const clock = new ManualClock();
  const rules = { minMs: 1_000, maxMs: 1_000, staleMs: null, goneMs: 0 };
  const items = { 4: ['10.0.0.1'], 6: ['2001:db8::1'] };
  const name = new WatchedName(
    'api.test',
    { family: 'any', servers: [], rules },
    {
      lookup: {
        addresses: (_name, family) => Promise.resolve({ kind: 'found', items: items[family], ttlMs: 1_000 }),
        services: () => Promise.resolve({ kind: 'none', reason: 'no-address' }),
        close: () => {},
      },
      ownFamilies: () => {
        lookups += 1;
        return own;
      },
      clock,
      random: () => 0,
      heard: () => {
        heard += 1;
      },
    },
  );
  expect([name.addresses, lookups]).toEqual([[], 0]);
  name.begin();
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 3; i += 1) expect(name.addresses).toEqual(['10.0.0.1']);
  expect([heard, lookups]).toEqual([2, 1]);
  own = { ipv4: true, ipv6: 'global' };
  clock.advance(1_000);
  await Promise.resolve();
  await Promise.resolve();
  for (let i = 0; i < 3; i += 1) expect(name.addresses).toEqual(['10.0.0.1', '2001:db8::1']);
  expect([heard, lookups]).toEqual([4, 2]);
  name.end();
});
