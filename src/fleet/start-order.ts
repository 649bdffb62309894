import type { Servable } from '../config/load.ts';
import type { StartOrder } from './protocol.ts';
import type { WorkerSockets } from './sockets.ts';
import { fdInWorker } from './worker-process.ts';

/** Copies of the socket of another worker that each has: so often it can stand in for it, the last time for good. */
const COPIES = 2;

/** What a worker is told at its start, and the file descriptors that it gets, in their order. */
export function startOrder(
  { own, others }: WorkerSockets,
  rest: Omit<StartOrder, 'sockets' | 'loans'>,
): { readonly fds: readonly number[]; readonly order: StartOrder } {
  const loans = Array.from({ length: COPIES }, () => others).flat();
  const order: StartOrder = {
    ...rest,
    sockets: own.map(({ name }, index) => ({ name, fd: fdInWorker(index) })),
    loans: loans.map(({ name, of }, index) => ({ name, of, fd: fdInWorker(own.length + index) })),
  };
  return { fds: [...own, ...loans].map(({ fd }) => fd), order };
}

/** How often session tickets change their keys, wherever they do. */
export function rotationsOf({ config }: Servable): readonly number[] {
  return Object.values(config.listeners).flatMap(({ tls }) =>
    tls === undefined || tls.ticketRotation <= 0 ? [] : [tls.ticketRotation],
  );
}
