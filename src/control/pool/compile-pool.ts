import type { EndpointConfig, PoolConfig } from '../config/schema/pool.ts';
import { Affinity } from '../upstream/affinity.ts';
import { balancerOf } from '../upstream/balance/balancer-of.ts';
import { type Endpoint, type EndpointTls, placeOf } from '../upstream/endpoint.ts';
import { defineProbe, type ProbeDefinition, type ProbeOptions } from '../upstream/health/probe-definition.ts';
import { type HostPolicy, Pool } from '../upstream/pool.ts';
import { isCertificate } from './certificates/pem-certificate.ts';
import type { Complaints } from './complaints.ts';
import type { Ledger } from './ledger.ts';
import { readNamedFile } from './named-file.ts';

/** Builds a pool, adopting what the ledger knows of it. `null` after a complaint. */
export function compilePool(
  name: string,
  config: PoolConfig,
  context: { ledger: Ledger; complaints: Complaints },
): Pool | null {
  const { ledger, complaints } = context;
  const before = complaints.count;
  const tls = compileTls(name, config, complaints);
  if (config.protocol === 'http2' && config.proxyProtocol !== undefined) {
    const message = 'a PROXY header names the one client of a connection, and HTTP/2 connections carry many';
    complaints.add(['pools', name, 'proxyProtocol'], { message });
  }
  const endpoints: Endpoint[] = [];
  const origins = new Set<string>();
  for (const [index, endpoint] of config.endpoints.entries()) {
    const made = compileEndpoint(name, endpoint, { config, tls, ledger });
    if ('problem' in made) {
      complaints.add(['pools', name, 'health', 'expect'], { message: made.problem });
      continue;
    }
    if (origins.has(made.endpoint.origin)) {
      complaints.add(['pools', name, 'endpoints', index], {
        code: 'HG0104',
        message: `endpoint “${made.endpoint.origin}” is in this pool already`,
      });
    }
    origins.add(made.endpoint.origin);
    endpoints.push(made.endpoint);
  }
  if (complaints.count > before) return null;
  return new Pool({
    name,
    endpoints,
    balancer: balancerOf(config.balance, endpoints, { cursor: ledger.cursor(name), random: Math.random }),
    affinity: compileAffinity(name, config, { endpoints, ledger }),
    hostPolicy: hostPolicyOf(config.host),
  });
}

function compileEndpoint(
  pool: string,
  endpoint: EndpointConfig,
  context: { config: PoolConfig; tls: EndpointTls; ledger: Ledger },
): { readonly endpoint: Endpoint } | { readonly problem: string } {
  const { config, tls, ledger } = context;
  const { connections } = config;
  const place = placeOf(pool, {
    address: endpoint.address,
    tls,
    proxyProtocol: config.proxyProtocol,
    protocol: config.protocol,
    limits: {
      maxConnections: connections.max,
      maxQueued: connections.queue,
      queueTimeoutMs: connections.queueTimeout,
      keepAliveMs: connections.keepAlive,
      connectTimeoutMs: connections.connectTimeout,
    },
  });
  let probe: ProbeDefinition | null = null;
  try {
    probe = config.health === undefined ? null : defineProbe(place, probeOptions(config.health));
  } catch (error) {
    // `defineProbe` throws a RangeError for an expectation that nothing can meet.
    return { problem: (error as RangeError).message };
  }
  return {
    endpoint: {
      ...place,
      weight: endpoint.weight,
      live: ledger.live(place.id),
      probe: probe === null ? null : ledger.probe(probe),
    },
  };
}

function probeOptions(health: NonNullable<PoolConfig['health']>): ProbeOptions {
  return {
    type: health.type,
    path: health.path,
    expect: health.expect,
    host: health.host ?? null,
    intervalMs: health.interval,
    timeoutMs: health.timeout,
    rise: health.rise,
    fall: health.fall,
    start: health.start,
  };
}

function compileAffinity(
  name: string,
  config: PoolConfig,
  context: { endpoints: readonly Endpoint[]; ledger: Ledger },
): Affinity | null {
  const { affinity } = config;
  if (affinity === undefined) return null;
  return new Affinity(
    {
      // One for each pool: two sticky pools on one host would overwrite a common cookie in turn.
      cookie: affinity.cookie ?? `headgate-${name}`,
      secret: affinity.secret ?? context.ledger.affinitySecret(name),
      path: affinity.path,
      domain: affinity.domain ?? null,
      secure: affinity.secure,
      httpOnly: affinity.httpOnly,
      sameSite: affinity.sameSite,
      maxAgeMs: affinity.maxAge ?? null,
    },
    context.endpoints,
  );
}

function compileTls(name: string, config: PoolConfig, complaints: Complaints): EndpointTls {
  const { tls } = config;
  let ca: string | null = null;
  if (tls?.ca !== undefined) {
    try {
      ca = readNamedFile(tls.ca).toString();
      if (!isCertificate(ca)) {
        complaints.add(['pools', name, 'tls', 'ca'], { message: `“${tls.ca}” holds no PEM certificate` });
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      complaints.add(['pools', name, 'tls', 'ca'], { code: 'HG0101', message: `cannot read “${tls.ca}”: ${code}` });
    }
  }
  return { serverName: tls?.serverName ?? null, ca, insecure: tls?.insecure ?? false };
}

function hostPolicyOf(host: string): HostPolicy {
  return host === 'preserve' || host === 'endpoint' ? host : { fixed: host };
}
