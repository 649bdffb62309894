import type { ListenerConfig } from '../config/schema/listener.ts';
import { HTTP2_PROFILES } from '../downstream/http2/profile.ts';
import type { ListenerOptions } from '../downstream/options.ts';

/** A listener's configuration as the downstream takes it. */
export function listenerOptions(name: string, config: ListenerConfig): ListenerOptions {
  return {
    name,
    kind: config.kind,
    passthrough: config.passthrough.length > 0,
    address: config.address,
    port: config.port,
    tls: config.tls !== undefined,
    http2: config.http2,
    profile: config.profile,
    limits: { ...config.limits, streams: config.limits.streams ?? HTTP2_PROFILES[config.profile].streams },
    trustedProxies: config.trustedProxies,
    forwardedBy: config.forwardedBy,
    underscores: config.underscores,
  };
}

/** What a person on this machine types to get there. */
export function urlHost(address: string | undefined): string {
  if (address === undefined || address === '::' || address === '0.0.0.0') return 'localhost';
  return address.includes(':') ? `[${address}]` : address;
}

/** `tcp` for what is forwarded as it is: nobody knows what it speaks. */
export function schemeOf({ kind, tls }: ListenerConfig): 'http' | 'https' | 'tcp' {
  if (kind === 'tcp') return 'tcp';
  return tls === undefined ? 'http' : 'https';
}
