import type { Config } from '../config/schema/config.ts';
import type { Complaints } from './complaints.ts';

/** What is wrong with listeners only beside each other: nothing to listen on, one port for two, redirects without an end. */
export function vetListeners(config: Config, complaints: Complaints): void {
  if (Object.keys(config.listeners).length === 0) {
    complaints.add(['listeners'], { message: 'no listener is defined: nobody could reach the gateway' });
  }
  complainOfSharedPorts(config, complaints);
  complainOfEndlessRedirects(config, complaints);
  complainOfUnreachedRoutes(config, complaints);
}

interface Binding {
  readonly path: readonly string[];
  readonly what: string;
  /** `null` for every address. */
  readonly address: string | null;
  readonly port: number;
}

/** Starting would fail with EADDRINUSE, and blame another process. */
function complainOfSharedPorts({ admin, listeners }: Config, complaints: Complaints): void {
  const bindings: Binding[] = [{ path: ['admin', 'port'], what: 'the admin listener', ...bound(admin) }];
  for (const [name, listener] of Object.entries(listeners)) {
    const binding = { path: ['listeners', name, 'port'], what: `listener “${name}”`, ...bound(listener) };
    const other = bindings.find((earlier) => overlap(earlier, binding));
    if (other !== undefined) {
      complaints.add(binding.path, {
        code: 'HG0104',
        message: `port ${binding.port} is that of ${other.what} already`,
      });
    }
    bindings.push(binding);
  }
}

function bound({ address, port }: { readonly address?: string | undefined; readonly port: number }) {
  const every = address === undefined || address === '::' || address === '0.0.0.0';
  return { address: every ? null : address, port };
}

/** Port 0 is another free one each time. */
function overlap(a: Binding, b: Binding): boolean {
  return a.port === b.port && a.port !== 0 && (a.address === null || b.address === null || a.address === b.address);
}

function complainOfEndlessRedirects({ listeners }: Config, complaints: Complaints): void {
  for (const [name, { redirectTo }] of Object.entries(listeners)) {
    const next = redirectTo === undefined ? undefined : listeners[redirectTo]?.redirectTo;
    if (next === undefined) continue;
    const message = `listener “${redirectTo}” itself redirects, to “${next}”`;
    complaints.add(['listeners', name, 'redirectTo'], { message });
  }
}

/** A listener with `redirectTo` answers everything with the redirect, so its routes never match. */
function complainOfUnreachedRoutes({ listeners, routes }: Config, complaints: Complaints): void {
  for (const [index, route] of routes.entries()) {
    const reached = route.listeners?.some((name) => listeners[name]?.redirectTo === undefined);
    if (reached !== false) continue;
    const message = 'the route can never match: its listeners answer everything with a redirect';
    complaints.add(['routes', index, 'listeners'], { message });
  }
}
