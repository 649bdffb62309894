import type { SharedCache } from '../cache/shared-cache.ts';
import type { Diagnostic } from '../config/config-error.ts';
import type { Origins } from '../config/origins.ts';
import type { Config } from '../config/schema/config.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import { type Faults, NO_FAULTS } from '../config/sound-part.ts';
import { identityNames } from '../engine/identity-names.ts';
import type { ListenerRules, MakeReply, RoutePlan, Snapshot, StreamRules } from '../engine/snapshot.ts';
import { transportSecurity } from '../http/hsts.ts';
import { httpsRedirect } from '../policy/https-redirect.ts';
import type { PolicyPlan } from '../policy/policy-plan.ts';
import { compileCidrs, parseNetwork } from '../routing/client-list.ts';
import type { RouteRule } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { vetSteps } from '../routing/vet.ts';
import { type AcmePlan, answersHttpChallenges, compileAcme } from './compile-acme.ts';
import { compileBodyMatching, mostBodyBytes } from './compile-body-matching.ts';
import { type CertificatePlan, compileListener } from './compile-listener.ts';
import { compilePools } from './compile-pools.ts';
import { compileRoutes } from './compile-routes.ts';
import { splitCookies } from './compile-split.ts';
import { compileStreams } from './compile-streams.ts';
import { compileOtlp, compileTracing, type OtlpTarget } from './compile-tracing.ts';
import { Complaints } from './complaints.ts';
import type { Discovery } from './discovery/discovery.ts';
import { type Known, knownOf, type Listed, type Membership } from './discovery/membership.ts';
import { KeptParts } from './kept-parts.ts';
import type { InUse, Ledger } from './ledger.ts';
import { declaredNames } from './policies/declared-names.ts';
import { sessionCookieNames } from './policies/oidc-names.ts';
import { PolicyCompiler } from './policies/policy-compiler.ts';
import { judge, type Quarantined } from './quarantine.ts';
import { atOnce } from './slices.ts';
import { readTlsSettings, type TlsSettings } from './tls/tls-settings.ts';
import type { Tolerance } from './tolerance.ts';
import { vetAdmin } from './vet-admin.ts';
import { vetCacheDisk } from './vet-cache-disk.ts';
import { vetListeners } from './vet-listeners.ts';
import { vetLogs } from './vet-logs.ts';
import { vetWorkers } from './vet-workers.ts';

export interface CompileInput {
  readonly config: Config;
  readonly origins: Origins;
  readonly ledger: Ledger;
  readonly cache: SharedCache;
  readonly development: boolean;
  /** Members of pools that were found already. Default: what the configuration itself says. */
  readonly discovery?: Pick<Discovery, 'known'>;
  /** What an earlier configuration was compiled to, for the same ledger: the parts that are in both are taken over. */
  readonly before?: KeptParts;
  /** Parts were taken out: look at what is left one by one, not at what it is together. The result is not to be run. */
  readonly incomplete?: boolean;
  /** What was found wrong with routes and pools when the configuration was loaded. Default: nothing. */
  readonly faults?: Faults;
  readonly tolerance: Tolerance;
  /** What is out of service by the configuration that serves. Default: nothing. */
  readonly quarantinedBefore?: readonly Quarantined[];
}

export type CompileResult = Compiled | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** All of it, ready to serve. */
export interface Compiled {
  readonly ok: true;
  readonly snapshot: Snapshot;
  /** The pools whose members are to be found. */
  readonly memberships: readonly Membership[];
  readonly routes: readonly RouteRule<RoutePlan>[];
  /** For each TLS listener. */
  readonly certificates: ReadonlyMap<string, CertificatePlan>;
  readonly tlsSettings: ReadonlyMap<string, TlsSettings>;
  /** For each listener that gets certificates by ACME. */
  readonly acme: ReadonlyMap<string, AcmePlan>;
  /** What is wrong with parts that are out of service for it, in source order. */
  readonly quarantined: readonly Quarantined[];
  /** For the next one. */
  readonly parts: KeptParts;
  /** Where spans go; `null` for nowhere. */
  readonly otlp: OtlpTarget | null;
}

/**
 * Configuration → snapshot, adopting live state from the ledger. Reads the files that the configuration names and touches
 * nothing else: no socket, no timer. Every problem at once, each with its place.
 */
export function compile(input: CompileInput): CompileResult {
  return atOnce(compileSteps(input));
}

/**
 * The same in short steps, for who serves meanwhile. Nothing that is served now changes by it; what it creates in the ledger may be forgotten
 * again if it comes to nothing (`Ledger.retain`), but not before it is over.
 */
export function* compileSteps(input: CompileInput): Generator<void, CompileResult> {
  const { config, origins, ledger, faults = NO_FAULTS, before = null } = input;
  const parts = new KeptParts();
  const complaints = new Complaints(origins);
  const known = (listed: readonly Listed[]): Known => input.discovery?.known(listed) ?? knownOf(listed, null);
  const common = { config, origins, ledger, faults, complaints, parts, before };
  const { pools, memberships, refusing, kept } = yield* compilePools({ ...common, known });
  const policies = new PolicyCompiler(common);
  const { rules: routes, sound, effects } = yield* compileRoutes({ ...common, pools, refusing, policies });
  if (input.incomplete !== true) yield* complainOfUnreachable(sound, complaints);
  const certificates = compileListeners(config, complaints);
  const tlsSettings = tlsSettingsOf(config, complaints);
  const acme = compileAcme(config, complaints);
  if (input.incomplete !== true) vetListeners(config, complaints);
  vetCacheDisk(config, complaints);
  vetAdmin(config, complaints);
  vetLogs(config, complaints);
  vetWorkers(config, complaints);
  const otlp = compileOtlp(config.tracing, complaints);
  const explain = compileExplain(config.explain, complaints);
  const { tolerance, quarantinedBefore = [] } = input;
  const judgement = judge({ ...common, effects, kept, tolerance, quarantinedBefore });
  if (!judgement.ok) return judgement;
  const listeners = new Map<string, ListenerRules>();
  const streams = new Map<string, StreamRules>();
  for (const [name, listener] of Object.entries(config.listeners)) {
    if (listener.kind === 'http') {
      const served = routes.filter((rule) => rule.listeners === null || rule.listeners.includes(name));
      const table = yield* parts.table(name, served, before);
      listeners.set(
        name,
        listenerRules(listener, { name, config, table, ledger, policies: policies.ofListener(name) }),
      );
    }
    const rules = compileStreams(listener, pools);
    if (rules !== null) streams.set(name, rules);
  }
  const { cache, development } = input;
  const plans = [...listeners.values()].flatMap(({ policies: plan }) => plan ?? []).concat(routes.flatMap(plansOf));
  const identityFields = identityNames([...declaredNames(config), ...plans.flatMap((plan) => plan.identityFields)]);
  const mirrors = new Set(routes.flatMap(({ plan }) => plan.mirror?.live ?? []));
  return {
    ok: true,
    snapshot: {
      listeners,
      streams,
      pools,
      mirrors,
      policyStates: new Set(plans.flatMap(({ states }) => states)),
      bodyMatching: compileBodyMatching(config, ledger),
      identityFields,
      sessionCookies: sessionCookieNames(config),
      cache,
      tracing: compileTracing(config.tracing),
      explain,
      strayTunnelMs: config.reload.tunnels === 'keep' ? null : config.reload.tunnels,
      development,
    },
    certificates,
    tlsSettings,
    acme,
    quarantined: judgement.quarantined,
    memberships,
    routes,
    parts,
    otlp,
  };
}

/** Whom the gateway explains itself to. */
function compileExplain(explain: Config['explain'], complaints: Complaints): Snapshot['explain'] {
  if (explain === undefined) return null;
  for (const [index, text] of explain.from.entries()) {
    const network = parseNetwork(text);
    if (!network.ok) complaints.add(['explain', 'from', index], { message: network.message });
  }
  return compileCidrs(explain.from);
}

function compileListeners(config: Config, complaints: Complaints): ReadonlyMap<string, CertificatePlan> {
  const certificates = new Map<string, CertificatePlan>();
  for (const name of Object.keys(config.listeners)) {
    const plan = compileListener(name, config, complaints);
    if (plan !== null) certificates.set(name, plan);
  }
  return certificates;
}

function tlsSettingsOf({ listeners }: Config, complaints: Complaints): ReadonlyMap<string, TlsSettings> {
  const all = new Map<string, TlsSettings>();
  for (const [name, { tls }] of Object.entries(listeners)) {
    if (tls === undefined) continue;
    const reading = readTlsSettings(tls);
    if (reading.ok) all.set(name, reading.settings);
    else
      for (const { key, message } of reading.problems) complaints.add(['listeners', name, 'tls', ...key], { message });
  }
  return all;
}

function* complainOfUnreachable(
  routes: readonly RouteRule<RoutePlan>[],
  complaints: Complaints,
): Generator<void, void> {
  for (const finding of yield* vetSteps(routes)) {
    complaints.add(['routes', finding.rule.order], { message: finding.message });
  }
}

function listenerRules(
  listener: ListenerConfig,
  context: { name: string; config: Config; table: RouteTable<RoutePlan>; ledger: Ledger; policies: PolicyPlan | null },
): ListenerRules {
  const bodyLimitBytes = listener.limits.bodyBytes ?? null;
  return {
    policies: context.policies,
    pathPolicy: listener.path,
    bodyLimitBytes,
    mostBodyBytes: mostBodyBytes(context.table, { listener: context.name, limitBytes: bodyLimitBytes }),
    hsts: transportSecurity(listener.tls?.hsts ?? null),
    forwardCertificate: listener.tls?.clientCertificates?.forward ?? false,
    redirect: redirectOf(listener, context.ledger),
    challenges: answersHttpChallenges(listener, context.config) ? context.ledger.httpChallenges : null,
    table: context.table,
  };
}

function plansOf({ plan: { policies } }: RouteRule<RoutePlan>): readonly PolicyPlan[] {
  if (policies === null) return [];
  return [policies.base, ...(policies.on?.values() ?? [])].filter((plan) => plan !== null);
}

/** The port is known once the listener is bound, which is after compilation. */
function redirectOf({ redirectTo: listener, redirectPort }: ListenerConfig, ledger: Ledger): MakeReply | null {
  if (listener === undefined) return null;
  if (redirectPort !== undefined) return httpsRedirect({ port: redirectPort });
  let port = 0;
  let make: MakeReply | null = null;
  return (variables) => {
    const bound = ledger.ports.get(listener) ?? 443;
    if (make === null || bound !== port) {
      port = bound;
      make = httpsRedirect({ port });
    }
    return make(variables);
  };
}

/** Changes whenever discovery finds other members. */
export function inUseOf({ pools, mirrors, policyStates }: Snapshot, config: Config): InUse {
  const endpoints = [...pools.values()].flatMap((pool) => pool.endpoints);
  return {
    endpoints: new Set(endpoints.map((endpoint) => endpoint.id)),
    probes: new Set(endpoints.flatMap((endpoint) => (endpoint.probe === null ? [] : [endpoint.probe.id]))),
    pools: new Set(pools.keys()),
    breakers: breakersOf(config),
    splitCookies: splitCookies(config.routes),
    outliers: new Set([...pools].flatMap(([name, { outliers }]) => (outliers === null ? [] : [name]))),
    mirrors,
    policyStates,
    connections: new Set([
      ...endpoints.map((endpoint) => endpoint.destination.connectionKey),
      ...[...policyStates].flatMap(({ connections }) => connections ?? []),
    ]),
  };
}

function breakersOf({ pools }: Config): InUse['breakers'] {
  const withBreakers = Object.entries(pools).flatMap(([name, { breaker }]) =>
    breaker === undefined ? [] : [{ name, scope: breaker.scope }],
  );
  const named = (without: 'pool' | 'endpoint') =>
    new Set(withBreakers.filter(({ scope }) => scope !== without).map(({ name }) => name));
  return { pools: named('endpoint'), endpointsOf: named('pool') };
}
