import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { activatedSockets, forgetActivation } from '../../../src/cli/socket-activation.ts';
import { notifying, type ServiceManager } from '../../../src/cli/systemd.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

interface Scene {
  readonly manager: ServiceManager;
  readonly clock: ManualClock;
  /** What was told, each with its assignments. */
  readonly told: readonly (readonly string[])[];
}

function scene(environment: Record<string, string>): Scene {
  const told: (readonly string[])[] = [];
  const clock = new ManualClock();
  const manager = notifying({
    environment: { NOTIFY_SOCKET: '/run/systemd/notify', ...environment },
    pid: 42,
    clock,
    monotonicUsec: () => 1234n,
    send: async (assignments) => void told.push(assignments),
  });
  return { manager, clock, told };
}

test('a service manager is told of readiness, reloads and the end, in that order', async () => {
  const { manager, told } = scene({});
  manager.ready('Serving');
  manager.reloading();
  manager.ready('Serving');
  manager.stopping('Draining\nnow');
  await manager.close();
  expect(told).toEqual([
    ['READY=1', 'MAINPID=42', 'STATUS=Serving'],
    ['RELOADING=1', 'MONOTONIC_USEC=1234'],
    ['READY=1', 'MAINPID=42', 'STATUS=Serving'],
    ['STOPPING=1', 'STATUS=Draining now'],
  ]);
});

test('without NOTIFY_SOCKET nobody is told anything', async () => {
  const { manager, told } = scene({ NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000000' });
  manager.ready('Serving');
  manager.watch();
  await manager.close();
  expect(told).toEqual([]);
});

test('signs of life come twice as often as the watchdog wants them, until the end', async () => {
  const { manager, clock, told } = scene({ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '42' });
  manager.watch();
  for (const second of [1, 2, 3]) {
    clock.advance(1000);
    await turn();
    expect(told).toHaveLength(second);
  }
  expect(new Set(told.flat())).toEqual(new Set(['WATCHDOG=1']));
  await manager.close();
  clock.advance(10_000);
  expect(told).toHaveLength(3);
});

test('a watchdog of another process is none of ours', async () => {
  const { manager, clock, told } = scene({ WATCHDOG_USEC: '2000000', WATCHDOG_PID: '41' });
  manager.watch();
  clock.advance(60_000);
  await manager.close();
  expect(told).toEqual([]);
});

test('a service manager that never reads is told a bounded number of things', async () => {
  const never = Promise.withResolvers<void>();
  let begun = 0;
  const manager = notifying({
    environment: { NOTIFY_SOCKET: '/run/systemd/notify' },
    pid: 42,
    clock: new ManualClock(),
    monotonicUsec: () => 0n,
    send: () => {
      begun += 1;
      return never.promise;
    },
  });
  for (let i = 0; i < 1000; i += 1) manager.ready('Serving');
  never.resolve();
  await manager.close();
  expect(begun).toBe(16);
});

test('sockets are those of LISTEN_FDS, by name, and only when they are meant for this process', () => {
  const environment = { LISTEN_PID: '42', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:tls' };
  expect(activatedSockets(environment, 42)).toEqual([
    { fd: 3, name: 'web' },
    { fd: 4, name: 'tls' },
    { fd: 5, name: '' },
  ]);
  expect(activatedSockets(environment, 43)).toEqual([]);
  expect(activatedSockets({ ...environment, LISTEN_FDS: '-1' }, 42)).toEqual([]);
  expect(activatedSockets({}, 42)).toEqual([]);
  forgetActivation(environment);
  expect(environment).toEqual({});
});

const ROOT = resolve(import.meta.dirname, '../../..');

test('the unit of the documentation asks for what this sends, and leaves a drain the time that it has', () => {
  const unit = readFileSync(join(ROOT, 'docs/systemd/headgate.service'), 'utf8');
  const of = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];
  expect([of('Type'), of('NotifyAccess'), of('ExecReload')]).toEqual(['notify', 'all', '/bin/kill -HUP $MAINPID']);
  const loaded = configFromObject({});
  const { drainDelay = 0, drainTimeout = 0 } = loaded.ok ? loaded.config : {};
  expect(1000 * Number.parseInt(of('TimeoutStopSec') ?? '', 10)).toBeGreaterThan(drainDelay + drainTimeout);
});
