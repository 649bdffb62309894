import type { InheritedSocket } from '../gateway/inherited-sockets.ts';

const FIRST_FD = 3;

/** More than any unit has; each is looked at. */
const MOST_SOCKETS = 256;

/**
 * The sockets that a service manager has opened for the process `pid` (sd_listen_fds(3)); none when they are meant for another one.
 * `LISTEN_*` should be removed from the environment afterwards: what this process starts has them not.
 */
export function activatedSockets(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly InheritedSocket[] {
  if (Number(environment['LISTEN_PID']) !== pid) return [];
  const count = Number(environment['LISTEN_FDS']);
  if (!Number.isInteger(count) || count < 1 || count > MOST_SOCKETS) return [];
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':');
  return Array.from({ length: count }, (_, index) => ({ fd: FIRST_FD + index, name: names[index] ?? '' }));
}

/** `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDNAMES`. */
export function forgetActivation(environment: Record<string, string | undefined>): void {
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
}
