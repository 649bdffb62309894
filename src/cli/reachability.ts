import { connect } from 'node:net';

/** Nobody waits longer than this for the banner. */
const PATIENCE_MS = 300;

export type Reachability =
  | { readonly up: true; readonly elapsedMs: number }
  /** Refused, unresolvable, or silent for too long. */
  | { readonly up: false };

/** Does anything listen at `origin` (`http://127.0.0.1:3000`) right now? Tries once to connect; never rejects. */
export function reach(origin: string): Promise<Reachability> {
  const { promise, resolve } = Promise.withResolvers<Reachability>();
  const { hostname, port, protocol } = new URL(origin);
  const began = performance.now();
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    timeout: PATIENCE_MS,
  });
  const settle = (result: Reachability): void => {
    socket.destroy();
    resolve(result);
  };
  socket.on('error', () => settle({ up: false }));
  socket.on('timeout', () => settle({ up: false }));
  socket.on('connect', () => settle({ up: true, elapsedMs: performance.now() - began }));
  return promise;
}
