import { primaryKey } from '../../cache/key.ts';
import type { CacheRequest, Lookup } from '../../cache/lookup.ts';
import type { CachePolicy } from '../../cache/policy.ts';
import { storability } from '../../cache/storability.ts';
import { cacheRequestOf, partitionParts } from '../../engine/cache-request.ts';
import type { Decision } from '../../engine/decide.ts';
import type { Progress } from '../../engine/progress.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import type { HeaderList } from '../../http/headers.ts';
import type { ExplainedCache, ResponseVerdict } from './explanation.ts';

/** Responses that show what the rules of a route come to. */
const EXAMPLES: readonly (readonly [status: number, headers: HeaderList])[] = [
  [200, []],
  [200, ['Cache-Control', 'max-age=60']],
  [200, ['Cache-Control', 'no-store']],
  [200, ['Cache-Control', 'private, max-age=60']],
  [200, ['Cache-Control', 'max-age=60', 'Set-Cookie', 'a=b']],
  [302, []],
  [404, []],
  [500, []],
];

/** What the cache has to do with a request; `null` where it has nothing. */
export function explainCache(
  progress: Progress,
  decision: Decision,
  plan: RoutePlan,
  nowMs: number,
): ExplainedCache | null {
  if (plan.cache === null) return null;
  const lookup = lookupOf(decision);
  if (lookup === null) return null;
  const request = cacheRequestOf(progress, plan);
  const isAsked = lookup.kind !== 'bypass';
  return {
    ...saidBy(lookup),
    key: isAsked ? primaryKey(request) : null,
    partition: isAsked
      ? partitionParts(progress, plan, request.keyQuery).map(({ by, text }) => ({ by, value: text.trim() }))
      : [],
    responses: isAsked && lookup.kind !== 'unsatisfiable' ? verdictsOn(request, plan.cache, nowMs) : [],
  };
}

function lookupOf(decision: Decision): Lookup | null {
  if (decision.kind === 'serve') return decision.found;
  if (decision.kind === 'forward') return decision.caching?.lookup ?? null;
  return decision.kind === 'refuse' && decision.error.reason === 'only-if-cached' ? { kind: 'unsatisfiable' } : null;
}

function saidBy(lookup: Lookup): Pick<ExplainedCache, 'lookup' | 'why'> {
  if (lookup.kind === 'hit') return { lookup: lookup.ttlMs > 0 ? 'hit' : 'stale', why: null };
  if (lookup.kind === 'unsatisfiable') return { lookup: 'unsatisfiable', why: 'only-if-cached' };
  return { lookup: lookup.kind, why: lookup.why };
}

/** The live rules on made-up responses. Only GET is stored, but what a HEAD says is told for it. */
function verdictsOn(request: CacheRequest, policy: CachePolicy, nowMs: number): readonly ResponseVerdict[] {
  return EXAMPLES.map(([status, headers]) => {
    const head = { status, headers: ['Date', new Date(nowMs).toUTCString(), 'ETag', '"a"', ...headers] };
    const verdict = storability({ ...request, method: 'GET' }, head, policy, nowMs);
    return {
      response: [String(status), ...fieldTexts(headers)].join(' '),
      stored: verdict.store,
      freshMs: verdict.store ? verdict.freshMs : null,
      why: verdict.store ? null : verdict.why,
    };
  });
}

function fieldTexts(headers: HeaderList): readonly string[] {
  return headers.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${headers[i + 1]}`] : []));
}
