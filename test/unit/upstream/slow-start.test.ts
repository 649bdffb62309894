import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import type { UpstreamEvent } from '../../../src/upstream/events.ts';
import { SlowStarts } from '../../../src/upstream/health/slow-start.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { endpointsOf, setHealth } from './endpoints.ts';

function start(count: number, slowStartMs = 20_000) {
  const clock = new ManualClock();
  const pool = { name: 'shop', endpoints: endpointsOf(Array.from({ length: count }, () => 1)), slowStartMs };
  const all = pool.endpoints;
  const events: UpstreamEvent[] = [];
  const starts = new SlowStarts({ clock, observer: { event: (event) => events.push(event) } }, () => [pool]);
  const at = (index: number): Endpoint => all[index] as Endpoint;
  const ramps = (): number[] => all.map(({ live }) => Number(live.ramp.toFixed(3)));
  const set = (index: number, up: boolean): void => {
    setHealth(at(index), up);
    starts.look();
  };
  return { clock, pool, all, events, starts, at, ramps, set };
}

describe('slow start', () => {
  test('takes an endpoint that comes back from a tenth of its weight to all of it, in steps', () => {
    const { clock, starts, ramps, set, events } = start(2);
    starts.begin();
    set(0, false);
    set(0, true);
    expect(ramps()).toEqual([0.1, 1]);
    const seen: number[] = [];
    for (let i = 0; i < 20; i += 1) {
      clock.advance(1_000);
      seen.push(ramps()[0] as number);
    }
    expect(seen.slice(0, 3)).toEqual([0.145, 0.19, 0.235]);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(clock.pending).toBe(0);
    expect(events).toMatchObject([{ kind: 'slow-start', pool: 'shop', durationMs: 20_000 }]);
  });

  test.each<[string, (endpoint: Endpoint, serves: boolean) => void]>([
    ['passive health has put aside', ({ live }, serves) => (live.ejected = !serves)],
    ['was disabled by hand', ({ live }, serves) => (live.standing = serves ? 'enabled' : 'disabled')],
    ['was drained by hand', ({ live }, serves) => (live.standing = serves ? 'enabled' : 'draining')],
  ])('is for one that %s too', (_, set) => {
    const { starts, at, ramps } = start(2);
    starts.begin();
    set(at(0), false);
    starts.look();
    set(at(0), true);
    starts.look();
    expect(ramps()).toEqual([0.1, 1]);
  });

  test('is for nobody at the start of the process', () => {
    const { starts, ramps, set, all, clock } = start(3);
    for (const endpoint of all) setHealth(endpoint, false);
    starts.begin();
    for (const index of [0, 1, 2]) set(index, true);
    expect([ramps(), clock.pending]).toEqual([[1, 1, 1], 0]);
  });

  test('is for no endpoint that comes back alone: it gets everything anyway', () => {
    const { starts, ramps, set } = start(2);
    starts.begin();
    set(0, false);
    set(1, false);
    set(0, true);
    expect(ramps()).toEqual([1, 1]);
    set(1, true);
    expect(ramps()).toEqual([1, 0.1]);
  });

  test('is for those that join others, and not for the first that are found', () => {
    const { starts, ramps, pool, all } = start(4);
    pool.endpoints = [];
    starts.begin();
    pool.endpoints = all.slice(0, 2);
    starts.look();
    expect(ramps()).toEqual([1, 1, 1, 1]);
    pool.endpoints = all;
    starts.look();
    expect(ramps()).toEqual([1, 1, 0.1, 0.1]);
  });

  test('ends when the endpoint goes again, and begins anew', () => {
    const { clock, starts, ramps, set } = start(2);
    starts.begin();
    set(0, false);
    set(0, true);
    clock.advance(10_000);
    expect(ramps()[0]).toBe(0.55);
    set(0, false);
    expect(ramps()[0]).toBe(1);
    set(0, true);
    expect(ramps()[0]).toBe(0.1);
  });

  test('ends when the pool wants none any more', () => {
    const { starts, ramps, set, pool, clock } = start(2);
    starts.begin();
    set(0, false);
    set(0, true);
    pool.slowStartMs = 0;
    starts.look();
    expect(ramps()).toEqual([1, 1]);
    clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });

  test('has one timer for all, and none once it is stopped', () => {
    const { clock, starts, ramps, set } = start(4);
    starts.begin();
    for (const index of [0, 1]) set(index, false);
    for (const index of [0, 1]) set(index, true);
    expect(clock.pending).toBe(1);
    starts.stop();
    expect([clock.pending, ramps()]).toEqual([0, [1, 1, 1, 1]]);
  });

  test('without it everything comes back at once', () => {
    const { starts, ramps, set, clock } = start(2, 0);
    starts.begin();
    set(0, false);
    set(0, true);
    expect([ramps(), clock.pending]).toEqual([[1, 1], 0]);
  });
});
