import { listenPlaceOf } from '../config/schema/bind-address.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { BindPlace } from '../downstream/binding.ts';
import { HTTP2_PROFILES } from '../downstream/http2/profile.ts';
import type { ListenerOptions } from '../downstream/options.ts';
import { transportSecurity } from '../http/hsts.ts';

/** A listener's configuration as the downstream takes it. It has passed `compileListener`. */
export function listenerOptions(name: string, config: ListenerConfig): ListenerOptions {
  const place = listenPlaceOf(config);
  if (place === null) throw new TypeError(`Cannot open listener "${name}": it has no port`);
  return {
    name,
    kind: config.kind,
    passthrough: config.passthrough.length > 0,
    place,
    proxyProtocol: config.proxyProtocol,
    tls: config.tls !== undefined,
    hsts: transportSecurity(config.tls?.hsts ?? null),
    http2: config.http2,
    h2c: config.h2c,
    fastLane: config.fastLane,
    profile: config.profile,
    limits: { ...config.limits, streams: config.limits.streams ?? HTTP2_PROFILES[config.profile].streams },
    trustedProxies: config.trustedProxies,
    forwardedBy: config.forwardedBy,
    underscores: config.underscores,
  };
}

/** Would a listener that changes so be another one, whose predecessor's connections drain? What certificates and rules say changes in place. */
export function drainsListener(name: string, before: ListenerConfig, next: ListenerConfig): boolean {
  return JSON.stringify(listenerOptions(name, before)) !== JSON.stringify(listenerOptions(name, next));
}

/** What a person on this machine types to get there; `unix:` and the file for a Unix socket. */
export function urlOf(place: BindPlace, scheme: ReturnType<typeof schemeOf>, port: number | null): string {
  return place.kind === 'unix' ? `unix:${place.path}` : `${scheme}://${urlHost(place.host)}:${port ?? place.port}`;
}

function urlHost(host: string | null): string {
  if (host === null || host === '::' || host === '0.0.0.0') return 'localhost';
  // A URL has no zones (`fe80::1%eth0`).
  return host.includes(':') ? `[${host.split('%')[0]}]` : host;
}

/** `tcp` for what is forwarded as it is: nobody knows what it speaks. */
export function schemeOf({ kind, tls }: ListenerConfig): 'http' | 'https' | 'tcp' {
  if (kind === 'tcp') return 'tcp';
  return tls === undefined ? 'http' : 'https';
}
