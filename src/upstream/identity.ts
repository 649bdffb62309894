import { createHash } from 'node:crypto';
import type { ProxyProtocolVersion, UpstreamProtocol, UpstreamTls } from '../exchange/attempt.ts';

declare const identity: unique symbol;

/**
 * Pool + origin, and the name that was resolved to it: `shop@http://10.0.0.1:3000`, `shop@http://10.0.0.1:3000 api.internal`.
 * In-flight count, turn in the rotation, drained by hand.
 */
export type EndpointId = string & { readonly [identity]: 'EndpointId' };

/** Origin + digest of the check and of the TLS settings it is sent with: active health, shared by every pool that checks alike. */
export type ProbeId = string & { readonly [identity]: 'ProbeId' };

/** Origin + protocol + version of the PROXY header + digest of the TLS settings: kept-alive connections. Plain origins have nothing added. */
export type ConnectionKey = string & { readonly [identity]: 'ConnectionKey' };

/** Everything that changes what the result of a check means. The members are hashed in this order. */
export interface ProbeIdentity {
  readonly type: 'http' | 'tcp' | 'grpc';
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly string[];
  readonly expect: readonly (number | string)[];
  /** What the body is tested for, as text; `null` for no test. */
  readonly body: string | null;
  readonly service: string;
  readonly intervalMs: number;
  readonly failingIntervalMs: number;
  readonly jitter: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
  readonly start: 'up' | 'down';
}

/** `pool` cannot contain `@` (configuration allows letters, digits, `_`, `.`, `-`), so two pools never share an id. */
export function endpointId(pool: string, origin: string, name: string | null = null): EndpointId {
  return `${pool}@${origin}${name === null ? '' : ` ${name}`}` as EndpointId;
}

/** The pool of an endpoint. */
export function poolOf(id: EndpointId): string {
  return id.slice(0, id.indexOf('@'));
}

/** A change to any member, thresholds included, makes another identity: its count of results starts anew. */
export function probeId(connection: ConnectionKey, probe: ProbeIdentity): ProbeId {
  const { type, method, target, host, headers, expect, body, service } = probe;
  const { intervalMs, failingIntervalMs, jitter, timeoutMs, rise, fall, start } = probe;
  const what = [type, method, target, host, headers, expect, body, service];
  const when = [intervalMs, failingIntervalMs, jitter, timeoutMs, rise, fall, start];
  return `${connection}~${digest([...what, ...when])}` as ProbeId;
}

/** What a connection to an origin means, besides where it leads. */
export interface ConnectionIdentity {
  readonly tls: UpstreamTls | null;
  /** Default `http1`. */
  readonly protocol?: UpstreamProtocol;
  readonly proxyProtocol: ProxyProtocolVersion | null;
}

/** Pools that reach one origin by the same protocol with the same TLS settings and PROXY headers share its connections. */
export function connectionKey(
  origin: string,
  { tls, protocol = 'http1', proxyProtocol }: ConnectionIdentity,
): ConnectionKey {
  let place = protocol === 'http1' ? origin : `${origin} ${protocol}`;
  if (proxyProtocol !== null) place += ` proxy-${proxyProtocol}`;
  if (tls === null) return place as ConnectionKey;
  return `${place}#${digest(tlsParts(tls))}` as ConnectionKey;
}

/** A certificate says which key belongs to it, so that a digest of the key is not needed. */
function tlsParts({ serverName, ca, insecure, identity = null }: UpstreamTls): (string | boolean | null)[] {
  const parts = [serverName, ca, insecure];
  return identity === null ? parts : [...parts, identity.certificate];
}

/** 12 base64url characters, 72 bits, of SHA-256 over the parts as JSON: only while a configuration is compiled. */
function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 12);
}
