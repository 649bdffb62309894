import type { RouteConfig } from '../../config/schema/route.ts';
import type { Outbound } from '../../engine/outbound.ts';
import type { Progress } from '../../engine/progress.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
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
import type { Subject } from './subject.ts';

interface PolicyPlace {
  readonly index: number;
  readonly plan: RoutePlan;
  readonly progress: Progress;
  readonly outbound: Outbound | null;
}

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
  return [
    ...lines,
    ...(hsts === null ? [] : [{ policy: 'hsts', words: `set Strict-Transport-Security: ${hsts}`, at: null }]),
    ...(route.cookies === undefined ? [] : [line('cookies', cookieWords(route.cookies))]),
    ...(route.responseHeaders === undefined ? [] : [line('responseHeaders', headerWords(route.responseHeaders))]),
  ];
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
