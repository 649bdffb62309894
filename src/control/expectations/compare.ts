import { formatDuration } from '../../config/near-values.ts';
import type { Expectation, FieldTest } from '../../config/schema/route-tests.ts';
import type { BareExplanation } from '../explain/explain.ts';
import type { ExplainedCache, ExplainedPool, Field, Outcome } from '../explain/explanation.ts';

/** An expectation that was not met, in words. */
export interface Difference {
  /** `route`, `headers X-User`. */
  readonly field: string;
  /** The key of the expectation. */
  readonly key: keyof Expectation & string;
  readonly expected: string;
  readonly actual: string;
}

/** What of `expected` is otherwise. `beside`: the number of the route that is meant when no other is given; `null` for none. */
export function compare(
  expected: Expectation,
  told: BareExplanation,
  beside: { readonly index: number; readonly name: string } | null,
): readonly Difference[] {
  const { outcome, upstream, pool, cache } = told;
  const reply = outcome.kind === 'reply' || outcome.kind === 'refuse' ? outcome : null;
  const differences = [
    routeDifference(expected, told, beside),
    expected.pool === undefined ? null : poolDifference(expected.pool, poolsOf(pool, outcome)),
    expected.url === undefined ? null : difference('url', expected.url, upstream?.target ?? NOT_FORWARDED),
    expected.host === undefined
      ? null
      : difference('host', expected.host, upstream === null ? NOT_FORWARDED : (upstream.host ?? 'the endpoint’s own')),
    expected.status === undefined ? null : difference('status', String(expected.status), statusOf(outcome)),
    expected.redirect === undefined ? null : difference('redirect', expected.redirect, locationOf(outcome)),
    expected.reason === undefined ? null : difference('reason', expected.reason, reply?.reason ?? NOT_ANSWERED),
    ...fieldDifferences('headers', expected.headers, upstream === null ? null : upstream.headers, NOT_FORWARDED),
    ...fieldDifferences(
      'responseHeaders',
      expected.responseHeaders,
      reply === null ? null : reply.headers,
      NOT_ANSWERED,
    ),
    ...cacheDifferences(expected.cache, cache),
  ];
  return differences.filter((found) => found !== null);
}

const NOT_FORWARDED = 'nothing: it is not forwarded';
const NOT_ANSWERED = 'nothing: Headgate does not answer itself';

function difference(key: Difference['key'], expected: string, actual: string, field: string = key): Difference | null {
  return expected === actual ? null : { field, key, expected, actual };
}

function routeDifference(
  { route }: Expectation,
  told: BareExplanation,
  beside: { readonly index: number; readonly name: string } | null,
): Difference | null {
  const actual = told.route?.name ?? 'none';
  if (route === undefined) {
    if (beside === null || told.index === beside.index) return null;
    return { field: 'route', key: 'route', expected: beside.name, actual };
  }
  return difference('route', route === false ? 'none' : route, actual);
}

/** All that chance may choose. */
function poolsOf(pool: ExplainedPool | null, outcome: Outcome): readonly string[] {
  if (outcome.kind === 'passthrough') return [outcome.pool];
  if (pool === null) return [];
  if (pool.by !== 'weight') return [pool.name];
  return pool.branches.flatMap((branch) => (branch.weight > 0 ? [branch.pool] : []));
}

function poolDifference(expected: readonly string[] | false, actual: readonly string[]): Difference | null {
  const isMet =
    expected === false ? actual.length === 0 : actual.length > 0 && actual.every((pool) => expected.includes(pool));
  if (isMet) return null;
  const said = expected === false ? 'none' : expected.join(' or ');
  return { field: 'pool', key: 'pool', expected: said, actual: actual.join(' or ') || 'none' };
}

function statusOf(outcome: Outcome): string {
  return 'status' in outcome ? String(outcome.status) : NOT_ANSWERED;
}

function locationOf(outcome: Outcome): string {
  return outcome.kind === 'reply' && outcome.location !== null ? outcome.location : 'nothing: it is no redirect';
}

function fieldDifferences(
  key: 'headers' | 'responseHeaders',
  tests: Readonly<Record<string, FieldTest>> | undefined,
  sent: readonly Field[] | null,
  instead: string,
): readonly (Difference | null)[] {
  return Object.entries(tests ?? {}).map(([name, test]) => {
    const values = sent?.filter((field) => field.name.toLowerCase() === name.toLowerCase()).map(textOf);
    const actual = values === undefined ? instead : values.length === 0 ? 'absent' : values.join(', ');
    if (typeof test === 'string') return difference(key, test, actual, `${key} ${name}`);
    const isThere = values !== undefined && values.length > 0;
    if ('present' in test) return isThere ? null : difference(key, 'present', actual, `${key} ${name}`);
    return values !== undefined && !isThere ? null : difference(key, 'absent', actual, `${key} ${name}`);
  });
}

/** Values are octets. */
function textOf({ value }: Field): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

function cacheDifferences(
  expected: Expectation['cache'],
  cache: ExplainedCache | null,
): readonly (Difference | null)[] {
  if (expected === undefined) return [];
  const asked = cache !== null && cache.lookup !== 'bypass';
  const actual = cache === null ? 'not asked: the route has none' : asked ? 'asked' : `not asked: ${cache.why}`;
  if (typeof expected === 'boolean') {
    return expected === asked ? [] : [difference('cache', expected ? 'asked' : 'not asked', actual)];
  }
  const { key, bypass, fresh } = expected;
  return [
    key === undefined ? null : difference('cache', key, cache?.key ?? actual, 'cache.key'),
    bypass === undefined
      ? null
      : difference('cache', bypass, cache?.lookup === 'bypass' ? (cache.why ?? '') : actual, 'cache.bypass'),
    fresh === undefined ? null : difference('cache', formatDuration(fresh), freshText(cache, actual), 'cache.fresh'),
  ];
}

/** Of the plain 200 among the examples. */
function freshText(cache: ExplainedCache | null, instead: string): string {
  const plain = cache?.responses.find(({ response }) => response === '200');
  if (plain === undefined) return instead;
  return plain.stored ? formatDuration(plain.freshMs ?? 0) : `not stored: ${plain.why}`;
}
