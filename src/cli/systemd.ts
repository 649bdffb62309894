import { spawn } from 'node:child_process';
import { type Clock, systemClock } from '../clock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a service manager wants to know of a service (sd_notify(3)). Never throws, never waits: who does not listen misses it. */
export interface ServiceManager {
  /** Everything is open. The first time, after a reload and after an upgrade. */
  ready(status: string): void;
  /** Between this and the next `ready` the configuration changes. */
  reloading(): void;
  stopping(status: string): void;
  /** Begins to send signs of life, where they are asked for. Until `close`. */
  watch(): void;
  /** Resolves when everything is told. No more signs of life. */
  close(): Promise<void>;
}

export interface ServiceManagerParts {
  readonly environment: Environment;
  readonly pid: number;
  readonly clock: Clock;
  /** CLOCK_MONOTONIC, in microseconds. */
  readonly monotonicUsec: () => bigint;
  /** Runs `systemd-notify` with these arguments to its end; never rejects. */
  readonly send: (assignments: readonly string[]) => Promise<void>;
}

/** Of the process that this is; one that nobody listens to unless `NOTIFY_SOCKET` is set. */
export function serviceManager(environment: Environment): ServiceManager {
  const { pid } = process;
  const send = (assignments: readonly string[]): Promise<void> => systemdNotify(assignments);
  return notifying({
    environment,
    pid,
    clock: systemClock,
    monotonicUsec: () => process.hrtime.bigint() / 1000n,
    send,
  });
}

/** Notifications that wait for the one before; more are dropped, and the last word is never among those. */
const MOST_WAITING = 16;

export function notifying(parts: ServiceManagerParts): ServiceManager {
  const { environment, pid, clock, monotonicUsec } = parts;
  if (!environment['NOTIFY_SOCKET']) return SILENT;
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();
  let closed = false;
  const tell = (...assignments: readonly string[]): void => {
    if (waiting >= MOST_WAITING) return;
    waiting += 1;
    last = last.then(async () => {
      await parts.send(assignments);
      waiting -= 1;
    });
  };
  const everyMs = watchdogMs(environment, pid);
  const alive = (): void => {
    if (closed) return;
    // One that still waits says the same.
    if (waiting === 0) tell('WATCHDOG=1');
    clock.after(everyMs, alive);
  };
  return {
    ready: (status) => tell('READY=1', `MAINPID=${pid}`, `STATUS=${oneLine(status)}`),
    reloading: () => tell('RELOADING=1', `MONOTONIC_USEC=${monotonicUsec()}`),
    stopping: (status) => tell('STOPPING=1', `STATUS=${oneLine(status)}`),
    watch: () => {
      if (everyMs > 0) clock.after(everyMs, alive);
    },
    close: () => {
      closed = true;
      return last;
    },
  };
}

const SILENT: ServiceManager = {
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
  watch: () => {},
  close: () => Promise.resolve(),
};

/** Half of what may pass without a sign of life (sd_watchdog_enabled(3)); 0 where none is asked for, or not of this process. */
function watchdogMs(environment: Environment, pid: number): number {
  const usec = Number(environment['WATCHDOG_USEC'] ?? 0);
  const meant = environment['WATCHDOG_PID'];
  if (!Number.isSafeInteger(usec) || usec <= 0 || (meant !== undefined && Number(meant) !== pid)) return 0;
  return Math.max(usec / 2000, SHORTEST_MS);
}

/** Each sign of life is a process of its own. */
const SHORTEST_MS = 100;

function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}

/** A service manager that does not read keeps nothing else waiting. */
const PATIENCE_MS = 5_000;

/**
 * Node has no datagram sockets on the file system, so the program that comes with systemd sends it. It says that it speaks for its
 * parent, which it may not without privileges: hence `NotifyAccess=all` in the unit.
 */
function systemdNotify(assignments: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const child = spawn('systemd-notify', assignments, { stdio: 'ignore', timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
  // ENOENT: a system without it has nobody to tell either.
  child.on('error', () => resolve());
  child.on('exit', () => resolve());
  return promise;
}
