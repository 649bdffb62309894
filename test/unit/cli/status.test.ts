import { expect, test } from 'vitest';
import { statusText } from '../../../src/cli/status.ts';
import type { GatewayStatus } from '../../../src/control/status.ts';

test('endpoints are told with their priority, and pools that panic', () => {
  const connections = { open: 2, busy: 1, queued: 0 };
  const endpoint = {
    origin: 'http://10.0.0.1:3000',
    health: 'down',
    standing: 'enabled',
    weight: 1,
    weightByHand: null,
  };
  const pool = (name: string, panicking: boolean, priority: number) => ({
    ...{ name, panicking, limits: null },
    endpoints: [{ ...endpoint, priority, inFlight: 3, inFlightLimit: null, sessions: null, connections }],
  });
  const pools = [pool('shop', true, 0), pool('cart', false, 1)];
  const status = {
    version: '1.0.0',
    startedAt: 'then',
    phase: 'serving',
    routes: 1,
    listeners: [],
    pools,
    cacheDisk: null,
    workers: null,
    quarantined: [],
    lastReload: null,
    maintenance: { all: null, routes: [] },
  };
  const lines = statusText(status as unknown as GatewayStatus).split('\n');
  expect(lines.slice(-4)).toEqual([
    'POOL          ENDPOINT              PRIORITY  HEALTH  STANDING  WEIGHT  IN FLIGHT  SESSIONS  CONNECTIONS',
    'shop (panic)  http://10.0.0.1:3000  0         down    enabled   1       3                    1 of 2 busy',
    'cart          http://10.0.0.1:3000  1         down    enabled   1       3                    1 of 2 busy',
    '',
  ]);
});

test('pools with limits are told with who waits, and a gateway that is overloaded', () => {
  const figures = { inFlight: 7, queued: 3, served: 21, refused: { 'queue-full': 1, 'queue-timeout': 2, shed: 3 } };
  const connections = { open: 2, busy: 1, queued: 0 };
  const endpoint = { origin: 'http://10.0.0.1:3000', priority: 0, health: 'up', standing: 'enabled', weight: 1 };
  const pool = {
    ...{ name: 'shop', panicking: false, limits: { ...figures, inFlightLimit: 7, shedding: true } },
    endpoints: [{ ...endpoint, weightByHand: null, inFlight: 7, inFlightLimit: 10, sessions: null, connections }],
  };
  const status = { version: '1.0.0', startedAt: 'then', phase: 'serving', routes: 1, listeners: [], pools: [pool] };
  const nothing = {
    cacheDisk: null,
    workers: null,
    quarantined: [],
    lastReload: null,
    maintenance: { all: null, routes: [] },
  };
  const text = statusText({ ...status, ...nothing, overload: { active: true } } as unknown as GatewayStatus);
  expect(text).toContain('serving, overloaded, since then');
  expect(text).toContain('7 of 10');
  expect(text.split('\n').slice(-3)).toEqual([
    'POOL  IN FLIGHT  WAITING          HAVE WAITED  REFUSED',
    'shop  7 of 7     3, newest first  21           6',
    '',
  ]);
});

test('what is quarantined is told with its place, and why the last reload was refused', () => {
  const place = { file: 'routes/shop.yaml', line: 10, column: 5, code: 'HG0102' };
  const status = {
    ...{
      version: '1.0.0',
      startedAt: 'then',
      phase: 'serving',
      routes: 1,
      listeners: [],
      pools: [],
      cacheDisk: null,
      workers: null,
    },
    quarantined: [{ kind: 'route', name: 'api', effect: 'refused', ...place, message: 'unknown key “polo”' }],
    maintenance: { all: null, routes: [] },
    lastReload: {
      ...{ at: 'later', result: 'refused', obstacle: null },
      diagnostics: [
        { ...place, message: 'unknown key “a”' },
        { ...place, message: 'unknown key “b”' },
      ],
    },
  };
  expect(
    statusText(status as unknown as GatewayStatus)
      .split('\n')
      .slice(-6),
  ).toEqual([
    'QUARANTINED  WHAT IT DOES  WHERE                  WHY',
    'route api    refuses       routes/shop.yaml:10:5  unknown key “polo”',
    '',
    'The reload of later was refused: routes/shop.yaml:10:5: unknown key “a” (and 1 more)',
    'The configuration before it serves on.',
    '',
  ]);
});

test('workers are told with their processes, and how often they were started again', () => {
  const status = {
    ...{ version: '1.0.0', startedAt: 'then', phase: 'serving', routes: 1, listeners: [], pools: [], cacheDisk: null },
    ...{ quarantined: [], lastReload: null, maintenance: { all: null, routes: [] } },
    workers: [
      { number: 1, pid: 4711, startedAt: '2026-01-01T00:00:00.000Z', restarts: 0 },
      { number: 2, pid: null, startedAt: null, restarts: 12 },
    ],
  };
  expect(statusText(status as unknown as GatewayStatus)).toContain(
    [
      'WORKER  PROCESS  SINCE                     RESTARTS',
      '1       4711     2026-01-01T00:00:00.000Z  0',
      '2       none     is started again          12',
    ].join('\n'),
  );
});
