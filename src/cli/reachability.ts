import { connect, type NetConnectOpts } from 'node:net';

/** Nobody waits longer than this for the banner. */
const PATIENCE_MS = 300;

export type Reachability =
  | { readonly up: true; readonly elapsedMs: number }
  /** Refused, unresolvable, or silent for too long. */
  | { readonly up: false };

/** Does anything listen at `origin` (`http://127.0.0.1:3000`, `unix:/run/app.sock`) right now? Tries once to connect; never rejects. */
export function reach(origin: string): Promise<Reachability> {
  const { promise, resolve } = Promise.withResolvers<Reachability>();
  const began = performance.now();
  const socket = connect({ ...placeOf(origin), timeout: PATIENCE_MS });
  const settle = (result: Reachability): void => {
    socket.destroy();
    resolve(result);
  };
  socket.on('error', () => settle({ up: false }));
  socket.on('timeout', () => settle({ up: false }));
  socket.on('connect', () => settle({ up: true, elapsedMs: performance.now() - began }));
  return promise;
}

function placeOf(origin: string): NetConnectOpts {
  if (origin.startsWith('unix:')) return { path: origin.slice('unix:'.length) };
  // Not a URL where an IPv6 address has a zone: `http://[fe80::1%eth0]:3000`.
  const [, scheme, literal, name, port] = /^(\w+):\/\/(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(origin) ?? [];
  return { host: literal ?? name ?? '', port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port) };
}
