import type { RouteConfig } from '../../config/schema/route.ts';
import type { Outbound } from '../../engine/outbound.ts';
import type { Progress } from '../../engine/progress.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import { KINDS } from '../policies/kinds.ts';
import type { PolicyKind } from '../policies/policy-kind.ts';
import { placesOf, type StandingPolicy, standing } from '../policies/standing.ts';
import type { PolicyLine } from './explanation.ts';
import {
  cacheWords,
  cookieWords,
  fallbackWords,
  headerWords,
  mirrorWords,
  queryWords,
  rewriteWords,
  stickyWords,
} from './policy-words.ts';
import { concealer } from './secrets.ts';
import type { Subject } from './subject.ts';

interface PolicyPlace {
  readonly index: number;
  readonly plan: RoutePlan;
  readonly progress: Progress;
  readonly outbound: Outbound | null;
}

/** Policies that are about responses alone. */
const OF_RESPONSES: ReadonlySet<string> = new Set([
  'substitute',
  'compress',
  'securityHeaders',
  'responseHeaders',
  'errorPages',
]);
/** A route's own are told where they stand among its edits. */
const EDITS: ReadonlySet<string> = new Set(['requestHeaders', 'responseHeaders']);

/** What the route does, in the order in which it happens to a request and then to its response. */
export function policiesOf(subject: Subject, place: PolicyPlace): readonly PolicyLine[] {
  const { config, origins } = subject;
  const route = config.routes[place.index];
  if (route === undefined) return [];
  const line = (key: keyof RouteConfig & string, words: string): PolicyLine => {
    const path = ['routes', place.index, key];
    return { policy: key, words, at: route[key] === undefined ? null : origins.whereGiven(path) };
  };
  const lines =
    route.pool === undefined && route.split === undefined ? answering(route, line) : forwarding(route, place, line);
  const hsts = place.progress.hsts;
  const included = includedOf(subject, place);
  return [
    ...included.filter(({ policy }) => !OF_RESPONSES.has(policy)),
    ...lines,
    ...(hsts === null ? [] : [{ policy: 'hsts', words: `set Strict-Transport-Security: ${hsts}`, at: null }]),
    ...included.filter(({ policy }) => OF_RESPONSES.has(policy)),
    ...(route.cookies === undefined ? [] : [line('cookies', cookieWords(route.cookies))]),
    ...(route.responseHeaders === undefined ? [] : [line('responseHeaders', headerWords(route.responseHeaders))]),
  ];
}

/** Those of the listener, of groups and of the route that hold. */
function includedOf({ config, origins }: Subject, { index, progress }: PolicyPlace): readonly PolicyLine[] {
  const route = config.routes[index];
  if (route === undefined) return [];
  const conceal = concealer(origins);
  const own = { path: ['routes', index], owner: '', captures: [], set: route };
  const isEdit = ({ key, place }: StandingPolicy): boolean => place === own && EDITS.has(key);
  return standing(placesOf(config, { use: route.use, place: own }, progress.exchange.listener))
    .filter((policy) => !isEdit(policy))
    .map(({ key, config: given, place: { path, owner } }) => ({
      policy: key,
      // Typed key by key, which a loop over the keys can't say.
      words: `${conceal([...path, key], (KINDS[key] as PolicyKind<unknown>).words(given))}${owner === '' ? '' : ` (${owner})`}`,
      at: origins.whereGiven([...path, key]),
    }));
}

type Line = (key: keyof RouteConfig & string, words: string) => PolicyLine;

function answering({ redirect, respond }: RouteConfig, line: Line): PolicyLine[] {
  if (redirect !== undefined) return [line('redirect', `${redirect.status} to ${redirect.to}`)];
  return respond === undefined ? [] : [line('respond', `${respond.status} from the configuration`)];
}

function forwarding(route: RouteConfig, { plan, progress, outbound }: PolicyPlace, line: Line): PolicyLine[] {
  const { split, sticky, cache, importance, rewrite, query, requestHeaders, mirror, fallback } = route;
  const path = outbound === null ? null : (outbound.target.split('?')[0] as string);
  const rewritten = path === null || plan.rewritePath === null ? '' : `: ${progress.path} → ${path}`;
  const isUndoing = plan.rewriteLocation !== null && rewrite !== undefined;
  return [
    ...(split === undefined ? [] : [line('split', split.map(({ pool, weight }) => `${pool} ${weight}`).join(', '))]),
    ...(sticky === undefined ? [] : [line('sticky', stickyWords(sticky))]),
    ...(cache === undefined ? [] : [line('cache', cacheWords(cache))]),
    ...(importance === undefined ? [] : [line('importance', importance)]),
    ...(rewrite === undefined ? [] : [line('rewrite', `${rewriteWords(rewrite)}${rewritten}`)]),
    ...(query === undefined ? [] : [line('query', queryWords(query))]),
    ...(requestHeaders === undefined ? [] : [line('requestHeaders', headerWords(requestHeaders))]),
    ...(mirror === undefined ? [] : [line('mirror', mirrorWords(mirror))]),
    ...(fallback === undefined ? [] : [line('fallback', fallbackWords(fallback))]),
    ...(isUndoing ? [line('rewriteLocation', 'undo the rewrite in Location and Content-Location')] : []),
  ];
}
