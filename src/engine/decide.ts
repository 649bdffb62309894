import { type CacheRequest, type Lookup, lookup, lookupWithout } from '../cache/lookup.ts';
import type { CachePolicy } from '../cache/policy.ts';
import { unsatisfiableReport } from '../cache/status.ts';
import { badRequest, GatewayError } from '../errors.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import { countVia } from '../http/forwarded.ts';
import { getHeader, noHeaders } from '../http/headers.ts';
import { canonicalizeTarget, hostOf } from '../http/target.ts';
import type { Consultation, Verdict } from '../policy/admit.ts';
import { announcedTooLarge } from '../policy/body-limit.ts';
import { outOfService } from '../policy/maintenance.ts';
import { policiesOn } from '../policy/policy-plan.ts';
import { RequestMessage } from '../routing/body/request-message.ts';
import type { RouteRequest } from '../routing/route.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Split } from '../upstream/split.ts';
import { BodyPrefix } from './body-prefix.ts';
import { cacheRequestOf } from './cache-request.ts';
import type { Caching } from './caching.ts';
import { PSEUDONYM } from './outbound.ts';
import type { Progress } from './progress.ts';
import { purgeMode } from './purge.ts';
import type { ChallengeAnswers, ListenerRules, RoutePlan } from './snapshot.ts';
import { throughPolicies } from './through-policies.ts';

/**
 * Own entries in `Via` that still count as a chain of gateways. A loop passes any number; legitimate chains (edge, inner,
 * development) are shorter. So a loop costs this many hops, then it ends with 508.
 */
const MAX_OWN_HOPS = 3;

/** What is to be done with an exchange. Made synchronously and without side effects but on its `Progress`. */
export type Decision =
  | {
      readonly kind: 'consult';
      readonly plan: RoutePlan | null;
      readonly consultation: Consultation;
      /** What is to be done once it is known what was waited for. */
      readonly resume: (verdict: Verdict | null, nowMs: number) => Decision;
    }
  | { readonly kind: 'reply'; readonly reply: LocalReply; readonly plan: RoutePlan | null }
  | { readonly kind: 'refuse'; readonly error: GatewayError }
  | {
      readonly kind: 'serve';
      readonly plan: RoutePlan;
      /** Where a refresh of what is served would go. */
      readonly pool: Pool;
      readonly request: CacheRequest;
      readonly found: Lookup & { readonly kind: 'hit' };
    }
  | { readonly kind: 'forward'; readonly plan: RoutePlan; readonly pool: Pool; readonly caching: Caching | null }
  | { readonly kind: 'purge'; readonly plan: RoutePlan; readonly mode: 'soft' | 'hard' }
  | { readonly kind: 'tunnel'; readonly plan: RoutePlan; readonly pool: Pool };

/** What is to be done with an exchange, by the snapshot that it started with. */
export function decideOn(progress: Progress): Decision {
  const rules = progress.edition.snapshot.listeners.get(progress.exchange.listener);
  // A listener that a reload removed may still finish what was on its connections.
  if (rules === undefined) return { kind: 'refuse', error: listenerGone() };
  progress.hsts = rules.hsts;
  return decide(progress, rules, progress.startedAtEpoch);
}

/** Steps 5 to 8 of an exchange's life: admit, route, apply policies that may answer, look into the cache. */
function decide(progress: Progress, rules: ListenerRules, nowMs: number): Decision {
  const { request } = progress.exchange;
  // What is refused before there is a route is dressed as the listener says.
  progress.policies = rules.policies;
  const refusal = admit(progress, rules);
  if (refusal !== null) return { kind: 'refuse', error: refusal };
  progress.host = hostOf(request.authority);
  const proof = rules.challenges === null ? null : challengeReply(progress, rules.challenges);
  if (proof !== null) return { kind: 'reply', reply: proof, plan: null };
  if (rules.redirect !== null) return { kind: 'reply', reply: rules.redirect(progress), plan: null };
  if (progress.path === '*' || isLastHop(progress)) return { kind: 'reply', reply: optionsReply, plan: null };
  const { client } = progress.exchange;
  if (rules.forwardCertificate && client.tls !== null) progress.certificate = client.tls.clientCertificate;
  if (rules.table.asksForBody) progress.message ??= messageOf(progress);
  return route(progress, rules, nowMs);
}

/** Step 6; once more when a body was read that the routes ask about. */
function route(progress: Progress, rules: ListenerRules, nowMs: number): Decision {
  const matched = rules.table.match(routeRequestOf(progress));
  const { message } = progress;
  // Whom nobody has sent a body waits for none.
  if (message?.wanted === true && !progress.hypothetical) return readFirst(progress, rules);
  const refusal = message === null ? null : refusalOf(progress, message);
  if (matched === null) {
    return throughPolicies(progress, null, () => ({ kind: 'refuse', error: refusal ?? noRoute() }), nowMs);
  }
  progress.route = matched.rule.name;
  progress.routeAt = matched.rule.at;
  progress.captures = matched.captures;
  const { plan } = matched.rule;
  const policies = plan.policies === null ? null : policiesOn(plan.policies, progress.exchange.listener);
  progress.policies = policies;
  progress.bodyLimitBytes = policies?.bodyLimitBytes ?? rules.bodyLimitBytes;
  if (refusal !== null) return { kind: 'refuse', error: refusal };
  return carryOut(progress, plan, nowMs);
}

/** What routes may ask of the body; `null` for none. Upgrades have none, whatever their head says. */
function messageOf({ exchange, requestBody, edition }: Progress): RequestMessage | null {
  if (requestBody.length === 0 || exchange.upgrade !== null) return null;
  return new RequestMessage(exchange.request.headers, requestBody.length, edition.snapshot.bodyMatching.limitBytes);
}

/** The beginning of the body, and then the match again. */
function readFirst(progress: Progress, rules: ListenerRules): Decision {
  const { mostBodyBytes } = rules;
  if (mostBodyBytes !== null && announcedTooLarge(progress.requestBody, mostBodyBytes)) {
    return { kind: 'refuse', error: badRequest('body-too-large', 413) };
  }
  const consultation = new BodyPrefix(progress, progress.edition.snapshot.bodyMatching);
  const resume = (verdict: Verdict | null, nowMs: number): Decision =>
    verdict?.kind === 'refuse' ? verdict : route(progress, rules, nowMs);
  return { kind: 'consult', plan: null, consultation, resume };
}

/** What the match has found out about a body that it can't go by. */
function refusalOf(progress: Progress, message: RequestMessage): GatewayError | null {
  const { note, refusal } = message;
  if (note !== null) progress.note(note);
  if (!progress.hypothetical) message.forget();
  return refusal === null ? null : badRequest(refusal, refusal === 'body-too-large-to-match' ? 413 : 400);
}

/** What conditions of routes are about. */
export function routeRequestOf(progress: Progress): RouteRequest {
  const { request, client } = progress.exchange;
  return {
    method: request.method,
    host: progress.host,
    path: progress.path,
    query: progress.query,
    headers: request.headers,
    clientAddress: client.address,
    serverName: client.tls === null ? null : client.tls.serverName,
    tls: client.tls !== null,
    clientCertificate: client.tls === null ? null : client.tls.clientCertificate,
    body: progress.message,
  };
}

function challengeReply(progress: Progress, { answer }: ChallengeAnswers): LocalReply | null {
  if (answer === null) return null;
  const { method } = progress.exchange.request;
  return method === 'GET' || method === 'HEAD' ? answer(progress.path) : null;
}

/** The route is chosen. */
function carryOut(progress: Progress, plan: RoutePlan, nowMs: number): Decision {
  const { exchange } = progress;
  const { outage } = plan.maintenance;
  if (outage !== null && progress.policies?.servedInMaintenance?.(progress.client.address) !== true)
    return { kind: 'refuse', error: outOfService(outage.retryAfterSeconds) };
  if (plan.purge !== null && exchange.request.method === 'PURGE') return decidePurge(progress, plan, plan.purge);
  if (progress.bodyLimitBytes !== null && announcedTooLarge(progress.requestBody, progress.bodyLimitBytes)) {
    return closedTo(progress) ?? { kind: 'refuse', error: badRequest('body-too-large', 413) };
  }
  if (progress.policies === null) return act(progress, plan, nowMs);
  return throughPolicies(progress, plan, (now) => act(progress, plan, now), nowMs);
}

/** The refusal of a policy that has the route out of service, which comes before all limits; `null` for none. */
function closedTo(progress: Progress): Decision | null {
  const first = progress.policies?.admit?.[0];
  const verdict = first?.phase === 'maintenance' ? first.admit(progress) : null;
  if (verdict?.kind !== 'refuse') return null;
  progress.decidedBy = 'maintenance';
  return verdict;
}

/** Nobody objects. */
function act(progress: Progress, plan: RoutePlan, nowMs: number): Decision {
  if (plan.action.kind === 'reply') return { kind: 'reply', reply: plan.action.make(progress), plan };
  if (plan.action.kind === 'refuse') return { kind: 'refuse', error: routeQuarantined() };
  const pool = plan.action.kind === 'forward' ? plan.action.pool : choosePool(progress, plan.action.split);
  progress.pool = pool.name;
  if (progress.exchange.upgrade !== null) return { kind: 'tunnel', plan, pool };
  if (plan.cache === null) return { kind: 'forward', plan, pool, caching: null };
  return consultCache(progress, { plan, pool }, plan.cache, nowMs);
}

function decidePurge(progress: Progress, plan: RoutePlan, allows: (address: string) => boolean): Decision {
  const mode = purgeMode(progress, allows);
  return typeof mode === 'string' ? { kind: 'purge', plan, mode } : { kind: 'refuse', error: mode };
}

/** Whose share the request falls into. */
function choosePool(progress: Progress, split: Split): Pool {
  const { client } = progress;
  const { pool, setCookie } = split.choose({
    clientAddress: client.address,
    facts: progress,
    tried: null,
    headers: progress.request.headers,
    overTls: client.tls !== null,
  });
  progress.splitCookie = setCookie;
  return pool;
}

/** Step 8 alone; also for who has waited, and looks again. */
export function consultCache(
  progress: Progress,
  route: { readonly plan: RoutePlan; readonly pool: Pool },
  policy: CachePolicy,
  nowMs: number,
): Decision {
  const { plan, pool } = route;
  const cacheRequest = cacheRequestOf(progress, plan);
  const found =
    pastTheCache(progress, plan) ?? lookup(progress.edition.snapshot.cache.store, cacheRequest, policy, nowMs);
  if (found.kind === 'hit') return { kind: 'serve', plan, pool, request: cacheRequest, found };
  if (found.kind === 'unsatisfiable') {
    progress.cacheReport = unsatisfiableReport;
    return { kind: 'refuse', error: onlyIfCached() };
  }
  return { kind: 'forward', plan, pool, caching: { policy, request: cacheRequest, lookup: found } };
}

/** What was to be served can't be read: as if it were not stored. It is not looked for again, since nothing says that it is gone. */
export function decideWithout(
  progress: Progress,
  { plan, pool, request }: Pick<Decision & { readonly kind: 'serve' }, 'plan' | 'pool' | 'request'>,
): Decision {
  progress.cacheReport = null;
  const found = lookupWithout(progress.edition.snapshot.cache.store, request);
  if (found.kind === 'unsatisfiable' || plan.cache === null) {
    progress.cacheReport = unsatisfiableReport;
    return { kind: 'refuse', error: onlyIfCached() };
  }
  return { kind: 'forward', plan, pool, caching: { policy: plan.cache, request, lookup: found } };
}

/** HTTP/2 may announce a body by nothing but its frames, which no header field tells the cache of. */
function hasBody(progress: Progress): boolean {
  return progress.requestBody.length !== 0;
}

/** A body would be part of what was asked for (RFC 9110 §9.3.1), and no key has it. */
function pastTheCache(progress: Progress, { bypassCache }: RoutePlan): Lookup | null {
  const { method } = progress.exchange.request;
  if (hasBody(progress)) {
    return { kind: 'bypass', why: method === 'GET' || method === 'HEAD' ? 'request-body' : 'method' };
  }
  if (bypassCache === null || (method !== 'GET' && method !== 'HEAD')) return null;
  return bypassCache(routeRequestOf(progress)) ? policyBypass : null;
}

const policyBypass: Lookup = Object.freeze({ kind: 'bypass', why: 'policy' });

/** Canonicalises the target into `progress`; what must not be forwarded at all comes back as an error. */
function admit(progress: Progress, rules: ListenerRules): GatewayError | null {
  const { request, client } = progress.exchange;
  if (client.tls !== null && client.tls.refusal !== null) return refusedCertificate(client.tls.refusal);
  const target = canonicalizeTarget(request.target, rules.pathPolicy);
  if (!target.ok) return badRequest(target.reason);
  progress.path = target.path;
  progress.query = target.query;
  // RFC 9110 §9.3.8: a TRACE would send cookies and credentials back in a body that scripts may read.
  if (request.method === 'TRACE' || request.method === 'CONNECT') return badRequest('method-not-allowed', 405);
  if (request.target === '*' && request.method !== 'OPTIONS') return badRequest('target-not-allowed');
  if (countVia(request.headers, PSEUDONYM) > MAX_OWN_HOPS) {
    return new GatewayError('proxy_loop_detected', { blame: 'gateway', status: 508, reason: 'loop-detected' });
  }
  return null;
}

/** RFC 9110 §7.6.2: the recipient of `Max-Forwards: 0` answers OPTIONS itself. */
function isLastHop(progress: Progress): boolean {
  const { request } = progress.exchange;
  return request.method === 'OPTIONS' && getHeader(request.headers, 'max-forwards') === '0';
}

const optionsReply: LocalReply = { status: 204, headers: noHeaders, body: null, reason: 'options', error: null };

/** RFC 9111 §5.2.1.7. */
function onlyIfCached(): GatewayError {
  return new GatewayError('http_request_denied', { blame: 'client', status: 504, reason: 'only-if-cached' });
}

/** As nginx does, over the connection that the certificate was asked for on; every request of it, and before anything else. */
function refusedCertificate(reason: string): GatewayError {
  return new GatewayError('http_request_denied', { blame: 'client', status: 400, reason });
}

export function listenerGone(): GatewayError {
  return new GatewayError('destination_unavailable', { blame: 'gateway', status: 503, reason: 'listener-removed' });
}

function noRoute(): GatewayError {
  return new GatewayError('destination_not_found', { blame: 'client', status: 404, reason: 'no-route' });
}

/** Nobody can tell when it will be mended. */
function routeQuarantined(): GatewayError {
  const reason = 'route-quarantined';
  return new GatewayError('proxy_configuration_error', {
    blame: 'gateway',
    status: 503,
    reason,
    retryAfterSeconds: null,
  });
}
