import type { Decision } from '../../engine/decide.ts';
import { routeRequestOf } from '../../engine/decide.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import { getHeader, type HeaderList } from '../../http/headers.ts';
import type { RouteRule } from '../../routing/route.ts';
import type { RouteTable } from '../../routing/route-table.ts';
import type { Pool } from '../../upstream/pool.ts';
import { type Asked, ask } from './ask.ts';
import type { Doorway } from './doorway.ts';
import { explainCache } from './explain-cache.ts';
import { explainPool } from './explain-pool.ts';
import { explainUpstream } from './explain-upstream.ts';
import type { ExplainedRequest, Explanation, Outcome, RefusedBy, Reply, UpstreamField } from './explanation.ts';
import { type OtherRoutes, otherRoutes, routeRef, winnerOnly } from './near-misses.ts';
import { policiesOf } from './policies.ts';
import type { Question } from './question.ts';
import { concealer } from './secrets.ts';
import { settingsOf } from './settings.ts';
import type { Subject } from './subject.ts';

/**
 * What would become of a request, and why: the decision is the engine's own, with the state that the gateway has now, and everything that
 * is told comes from what it was made by. Nothing happens. Some 100 µs, and 1 µs more for each route.
 */
export function explain(subject: Subject, question: Question): Explanation {
  return withoutSecrets(explainBare(subject, question), subject);
}

/**
 * The same with what the configuration fills in for `${…}`: for comparisons, not to be shown. Without `others` it says nothing of routes that
 * do not take the request, and takes as long however many there are.
 */
export function explainBare(
  subject: Subject,
  question: Question,
  { others: tellsOthers }: { readonly others: boolean } = { others: true },
): BareExplanation {
  const asked = ask(subject, question);
  if ('kind' in asked) return { ...unasked(question, asked), index: null };
  const { at, progress, decision, notes } = asked;
  const rules = subject.snapshot.listeners.get(at.listener);
  const isRouted = progress.route !== '' || (decision.kind === 'refuse' && decision.error.reason === 'no-route');
  const request = routeRequestOf(progress);
  const conceal = concealer(subject.origins);
  const look = (table: RouteTable<RoutePlan>): OtherRoutes =>
    tellsOthers ? otherRoutes(table, request, conceal) : winnerOnly(table, request);
  const others = rules === undefined || !isRouted ? nobody : look(rules.table);
  const rule = others.winner === null ? null : others.winner.rule;
  const said = rule === null ? nothing : ofRoute(subject, asked, rule);
  return {
    ...said,
    request: requestOf(question, asked),
    outcome: outcomeOf(asked),
    route:
      rule === null || others.winner === null
        ? null
        : { ...routeRef(others.winner, conceal), captures: named(progress.captures) },
    alsoMatch: others.alsoMatch,
    nearMisses: others.nearMisses,
    notes: [...notes, ...others.notes, ...(said.pool?.by === 'weight' ? [BY_CHANCE] : [])],
    index: rule === null ? null : rule.order,
  };
}

/** `index`: of the route in the configuration. */
export type BareExplanation = Explanation & { readonly index: number | null };

const nobody: OtherRoutes = { winner: null, alsoMatch: [], nearMisses: [], notes: [] };

const nothing = {
  route: null,
  alsoMatch: [],
  nearMisses: [],
  policies: [],
  settings: [],
  upstream: null,
  cache: null,
  pool: null,
} satisfies Partial<Explanation>;

const BY_CHANCE = 'chance decides which pool it is: host, cache and endpoints are those of one that it may fall to';

function ofRoute(
  subject: Subject,
  asked: Asked,
  { order: index, plan }: RouteRule<RoutePlan>,
): Pick<Explanation, 'policies' | 'settings' | 'upstream' | 'cache' | 'pool'> {
  const { at, progress, decision, outbound } = asked;
  const pool = poolOf(subject, decision, progress.pool);
  const place = { index, plan, listener: at.listener, pool: progress.pool };
  const context = pool === null ? null : { progress, plan, pool, route: subject.config.routes[index] };
  return {
    policies: policiesOf(subject, { index, plan, progress, outbound }),
    settings: settingsOf(subject, place),
    upstream: outbound === null || context === null ? null : explainUpstream(outbound, context),
    cache: explainCache(progress, decision, plan, subject.nowMs),
    pool: context === null ? null : explainPool(subject, context),
  };
}

function poolOf({ snapshot }: Subject, decision: Decision, name: string | null): Pool | null {
  if ('pool' in decision) return decision.pool;
  return name === null ? null : (snapshot.pools.get(name) ?? null);
}

function named(captures: readonly string[]): Readonly<Record<string, string>> {
  const entries = captures.flatMap((name, i) => (i % 2 === 0 ? [[name, captures[i + 1] as string] as const] : []));
  return Object.fromEntries(entries);
}

function requestOf({ method, target, client }: Question, { at, progress }: Asked): ExplainedRequest {
  return {
    method,
    listener: at.listener,
    scheme: at.scheme,
    host: at.authority,
    target,
    client,
    serverName: at.tls === null ? null : at.tls.serverName,
    path: progress.path === '' ? null : progress.path,
    query: progress.query,
  };
}

function outcomeOf({ progress, decision, response }: Asked): Outcome {
  switch (decision.kind) {
    case 'forward':
      return { kind: 'forward' };
    case 'tunnel':
      return { kind: 'tunnel', protocol: progress.exchange.upgrade?.protocol ?? '' };
    case 'serve': {
      const { entry, ttlMs, refresh } = decision.found;
      return { kind: 'serve', status: entry.status, ttlMs, refresh };
    }
    case 'purge':
      return { kind: 'purge', mode: decision.mode };
    case 'reply': {
      const { headers } = decision.reply;
      const by = decision.plan === null ? 'listener' : 'route';
      return {
        kind: 'reply',
        by,
        location: getHeader(headers, 'location'),
        ...sent(response.head?.headers, decision.reply, progress.decidedBy),
      };
    }
    case 'refuse': {
      const { error } = decision;
      return {
        kind: 'refuse',
        by: refusedBy(decision, progress.route),
        error: error.code,
        ...sent(response.head?.headers, error, progress.decidedBy),
      };
    }
  }
}

function sent(
  headers: HeaderList = [],
  { status, reason }: { readonly status: number; readonly reason: string },
  policy: string | null,
): Reply {
  const fields = headers.flatMap((name, i) => (i % 2 === 0 ? [{ name, value: headers[i + 1] as string }] : []));
  return { status, reason, policy, headers: fields.filter(({ name }) => name !== 'X-Request-Id') };
}

function refusedBy({ error }: Decision & { readonly kind: 'refuse' }, route: string): RefusedBy {
  if (error.reason === 'bug') return 'bug';
  if (error.reason === 'no-route') return 'routing';
  if (error.reason === 'only-if-cached') return 'cache';
  return route === '' ? 'admission' : 'route';
}

function unasked(question: Question, doorway: Exclude<Doorway, { readonly kind: 'in' }>): Explanation {
  const { method, scheme, authority, target, client, serverName } = question;
  const request = { method, listener: doorway.listener, scheme, host: authority, target, client, serverName };
  return { ...nothing, request: { ...request, path: null, query: null }, outcome: unaskedOutcome(doorway), notes: [] };
}

function unaskedOutcome(doorway: Exclude<Doorway, { readonly kind: 'in' }>): Outcome {
  if (doorway.kind === 'passthrough') return { kind: 'passthrough', pool: doorway.pool };
  if (doorway.kind === 'closed') return { kind: 'closed', reason: doorway.reason };
  const { status, reason } = doorway;
  return { kind: 'refuse', by: 'listener', error: 'http_request_error', status, reason, policy: null, headers: [] };
}

/** Who writes these into requests does not want them seen. */
function isCredential({ name, by }: UpstreamField): boolean {
  return by === 'route' && /^(?:(?:proxy-)?authorization|cookie)$/i.test(name);
}

/** What goes upstream, and what is known by it. */
const UPSTREAM_KEYS = ['requestHeaders', 'query', 'rewrite'] as const;
/** What only some clients get to see. */
const ANSWER_KEYS = ['redirect', 'cookies', 'responseHeaders'] as const;

/** Hides what the route at `index` fills in for `${…}` in what goes upstream. */
export function hiderOf({ origins }: Subject, index: number | null): (text: string) => string {
  if (index === null) return (text) => text;
  const conceal = concealer(origins);
  return (text) => UPSTREAM_KEYS.reduce((shown, key) => conceal(['routes', index, key], shown), text);
}

function withoutSecrets({ index, ...explanation }: BareExplanation, subject: Subject): Explanation {
  if (index === null) return explanation;
  const hide = hiderOf(subject, index);
  const conceal = concealer(subject.origins);
  const hideInPolicy = (words: string): string =>
    ANSWER_KEYS.reduce((shown, key) => conceal(['routes', index, key], shown), hide(words));
  const { upstream, cache, policies } = explanation;
  return {
    ...explanation,
    policies: policies.map((line) => ({ ...line, words: hideInPolicy(line.words) })),
    upstream:
      upstream === null
        ? null
        : {
            ...upstream,
            target: hide(upstream.target),
            headers: upstream.headers.map((field) =>
              field.by === 'client' ? field : { ...field, value: isCredential(field) ? '(secret)' : hide(field.value) },
            ),
          },
    cache:
      cache === null
        ? null
        : { ...cache, partition: cache.partition.map((part) => ({ ...part, value: hide(part.value) })) },
  };
}
