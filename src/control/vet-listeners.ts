import { type ListenPlace, listenPlaceOf } from '../config/schema/bind-address.ts';
import type { Config } from '../config/schema/config.ts';
import { vetAcme } from './compile-acme.ts';
import type { Complaints } from './complaints.ts';

/** What is wrong with listeners only beside each other: nothing to listen on, one port for two, redirects without an end. */
export function vetListeners(config: Config, complaints: Complaints): void {
  if (Object.keys(config.listeners).length === 0) {
    complaints.add(['listeners'], { message: 'no listener is defined: nobody could reach the gateway' });
  }
  complainOfSharedPorts(config, complaints);
  complainOfEndlessRedirects(config, complaints);
  complainOfUnreachedRoutes(config, complaints);
  complainOfUnaskedClients(config, complaints);
  vetAcme(config, complaints);
}

interface Binding {
  readonly path: readonly string[];
  readonly what: string;
  readonly place: ListenPlace;
}

/** Starting would fail with EADDRINUSE, and blame another process. */
function complainOfSharedPorts({ admin, listeners }: Config, complaints: Complaints): void {
  const ofAdmin = { kind: 'tcp', host: admin.address, port: admin.port } as const;
  const bindings: Binding[] = [{ path: ['admin', 'port'], what: 'the admin listener', place: ofAdmin }];
  for (const [name, listener] of Object.entries(listeners)) {
    const place = listenPlaceOf(listener);
    if (place === null) continue;
    const key = listener.port === undefined ? 'address' : 'port';
    const binding = { path: ['listeners', name, key], what: `listener “${name}”`, place };
    const other = bindings.find((earlier) => overlap(earlier.place, place));
    if (other !== undefined) {
      const what = place.kind === 'tcp' ? `port ${place.port}` : `socket ${place.path}`;
      complaints.add(binding.path, { code: 'HG0104', message: `${what} is that of ${other.what} already` });
    }
    bindings.push(binding);
  }
}

/** Port 0 is another free one each time. */
function overlap(a: ListenPlace, b: ListenPlace): boolean {
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  return a.port === b.port && a.port !== 0 && (includes(a.host, b.host) || includes(b.host, a.host));
}

/** `::` is every address, IPv4 too; `0.0.0.0` is every one of IPv4. */
function includes(host: string | null, other: string | null): boolean {
  if (host === null || host === '::' || host === other) return true;
  return host === '0.0.0.0' && other !== null && !other.includes(':');
}

function complainOfEndlessRedirects({ listeners }: Config, complaints: Complaints): void {
  for (const [name, { redirectTo, redirectPort }] of Object.entries(listeners)) {
    if (redirectTo === undefined && redirectPort !== undefined) {
      complaints.add(['listeners', name, 'redirectPort'], { message: 'redirectPort means nothing without redirectTo' });
    }
    const target = redirectTo === undefined ? undefined : listeners[redirectTo];
    if (target?.address !== undefined && 'socketPath' in target.address) {
      const message = `listener “${redirectTo}” is a Unix socket: no URL leads there`;
      complaints.add(['listeners', name, 'redirectTo'], { message });
    }
    const next = target?.redirectTo;
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

/** Where no client is asked for a certificate, a route that wants one never matches. */
function complainOfUnaskedClients({ listeners, routes }: Config, complaints: Complaints): void {
  const asks = (name: string): boolean => listeners[name]?.tls?.clientCertificates !== undefined;
  for (const [index, { match, listeners: names = Object.keys(listeners) }] of routes.entries()) {
    const wanted = Object.values(match.clientCertificate ?? {}).some(({ kind }) => kind !== 'absent');
    if (!wanted || names.some(asks)) continue;
    const message =
      'the route can never match: none of its listeners asks clients for a certificate (clientCertificates)';
    complaints.add(['routes', index, 'match', 'clientCertificate'], { message });
  }
}
