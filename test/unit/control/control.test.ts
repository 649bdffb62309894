import { describe, expect, test } from 'vitest';
import { Control, type ControlResult } from '../../../src/control/control.ts';
import { type Endpoint, type PlaceOptions, placeOf } from '../../../src/upstream/endpoint.ts';
import { EndpointLive } from '../../../src/upstream/endpoint-live.ts';
import type { UpstreamEvent } from '../../../src/upstream/events.ts';
import { Revision } from '../../../src/upstream/revision.ts';
import { limits, plainTls, poolOf } from '../upstream/endpoints.ts';

const ADDRESSES = [
  { secure: false, host: '10.0.0.1', port: 3000 },
  { secure: false, host: '10.0.0.2', port: 3000 },
  { secure: true, host: '10.0.0.2', port: 3000 },
  { socketPath: '/run/App.sock' },
] as const;

function controlled(
  places: readonly Pick<PlaceOptions, 'address' | 'name'>[] = ADDRESSES.map((address) => ({ address })),
) {
  const revision = new Revision();
  const endpoints = places.map((at): Endpoint => {
    const place = placeOf('shop', { ...at, tls: plainTls, limits });
    return { ...place, weight: 3, priority: 0, live: new EndpointLive(revision), probe: null };
  });
  const pool = poolOf(endpoints, { revision });
  const events: UpstreamEvent[] = [];
  const observer = { event: (event: UpstreamEvent) => void events.push(event) };
  const control = new Control({ pools: () => new Map([['shop', pool]]), observer });
  return { control, events, endpoints, first: endpoints[0] as Endpoint, revision };
}

function messageOf(result: ControlResult): string {
  return result.ok ? 'done' : `${result.reason}: ${result.message}`;
}

describe('control by hand', () => {
  test('sets what an endpoint is to do, and tells how it is then', () => {
    const { control, first } = controlled();
    first.live.inFlight = 2;
    const as = {
      pool: 'shop',
      endpoint: 'http://10.0.0.1:3000',
      weight: 3,
      weightByHand: null,
      inFlight: 2,
      sessions: null,
    };
    const drained = control.drain('shop', '10.0.0.1:3000');
    expect(drained).toEqual({ ok: true, changed: true, state: { ...as, standing: 'draining' } });
    expect(control.disable('shop', 'http://10.0.0.1:3000')).toMatchObject({ state: { standing: 'disabled' } });
    expect(control.enable('shop', 'HTTP://10.0.0.1:3000')).toMatchObject({ state: { standing: 'enabled' } });
    expect(control.setWeight('shop', '10.0.0.1:3000', 0)).toMatchObject({ state: { weight: 3, weightByHand: 0 } });
    expect(control.setWeight('shop', '10.0.0.1:3000', null)).toMatchObject({ state: { weightByHand: null } });
  });

  test('says so when nothing had to be changed, and tells nobody', () => {
    const { control, events, revision } = controlled();
    const before = revision.value;
    expect(control.enable('shop', '10.0.0.1:3000')).toMatchObject({ ok: true, changed: false });
    expect(control.setWeight('shop', '10.0.0.1:3000', null)).toMatchObject({ ok: true, changed: false });
    expect(events).toEqual([]);
    expect(revision.value).toBe(before);
  });

  test('tells of each change who made it', () => {
    const { control, events, revision } = controlled();
    const before = revision.value;
    control.drain('shop', '10.0.0.1:3000', { via: 'cli', address: '127.0.0.1' });
    control.setWeight('shop', '10.0.0.1:3000', 5);
    const at = { kind: 'hand', pool: 'shop', endpoint: 'http://10.0.0.1:3000', standing: 'draining' };
    expect(events).toMatchObject([
      { ...at, weightByHand: null, by: { via: 'cli', address: '127.0.0.1' } },
      { ...at, weightByHand: 5, by: { via: 'program', address: null } },
    ]);
    expect(revision.value).toBe(before + 2);
  });

  test('is refused for pools and endpoints that do not exist, with what might be meant', () => {
    const { control } = controlled();
    expect(messageOf(control.drain('shpo', 'x'))).toBe('unknown-pool: “shpo” is no pool: did you mean “shop”?');
    expect(messageOf(control.drain('payments', 'x'))).toBe('unknown-pool: “payments” is no pool: there are “shop”');
    expect(messageOf(control.drain('shop', 'http://10.0.0.9:3000'))).toBe(
      'unknown-endpoint: “http://10.0.0.9:3000” is no endpoint of pool “shop”: did you mean “http://10.0.0.1:3000”?',
    );
    expect(messageOf(control.drain('shop', 'x'))).toMatch(/there are “http:\/\/10\.0\.0\.1:3000”, “http/);
  });

  test('is refused where a name stands for several endpoints', () => {
    const { control } = controlled();
    expect(messageOf(control.drain('shop', '10.0.0.2:3000'))).toBe(
      'ambiguous-endpoint: “10.0.0.2:3000” names 2 endpoints of pool “shop”: “http://10.0.0.2:3000” and “https://10.0.0.2:3000”',
    );
    expect(control.drain('shop', 'https://10.0.0.2:3000')).toMatchObject({ ok: true });
  });

  test('knows endpoints by the name that led to them, while that is one, and by their addresses', () => {
    const found = [
      { address: { secure: false, host: '10.0.1.1', port: 80 }, name: 'app.internal' },
      { address: { secure: false, host: '10.0.1.2', port: 80 }, name: 'app.internal' },
      { address: { secure: false, host: 'fd00::1', port: 8080 }, name: 'six.internal' },
    ];
    const { control } = controlled(found);
    expect(messageOf(control.drain('shop', 'app.internal'))).toMatch(/^ambiguous-endpoint: “app\.internal” names 2 /);
    for (const name of ['10.0.1.1', '10.0.1.2:80', 'http://10.0.1.1', 'six.internal:8080', '[fd00::1]:8080']) {
      expect([name, messageOf(control.drain('shop', name))]).toEqual([name, 'done']);
    }
  });

  test('knows Unix sockets by their path, whose case matters', () => {
    const { control } = controlled();
    expect(control.drain('shop', 'unix:/run/App.sock')).toMatchObject({ ok: true });
    for (const other of ['unix:/run/app.sock', 'localhost']) expect(control.drain('shop', other).ok).toBe(false);
  });

  test('takes no weight that the configuration would not take', () => {
    const { control, first } = controlled();
    for (const weight of [-1, 1.5, 1001, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(messageOf(control.setWeight('shop', '10.0.0.1:3000', weight))).toMatch(/^weight-out-of-range/);
    }
    expect(first.live.weight).toBeNull();
  });
});
