import { formatDuration } from '../../config/near-values.ts';
import type { LimitConfig, RateConfig, RateLimitConfig } from '../../config/schema/policy/rate-limit.ts';
import { type Allowance, gcraOf, LONGEST_REFILL_MS, refillMs } from '../../policy/rate-limit/gcra.ts';
import { Limit } from '../../policy/rate-limit/limit.ts';
import { policyItem } from '../../policy/rate-limit/limit-fields.ts';
import { rateLimitPolicy } from '../../policy/rate-limit/rate-limit.ts';
import type { RateStore } from '../../policy/rate-limit/rate-store.ts';
import type { LimitRule } from '../../policy/rate-limit/trial.ts';
import { countedKey, countedWords, namesOf } from './counted.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';
import { rateStoreOf } from './rate-stores.ts';

/** Limits of routes, groups and listeners all hold. */
export const rateLimitKind: PolicyKind<RateLimitConfig> = {
  merge: 'all',
  words: (limits) => limits.map((limit) => limitWords(limit)).join('; '),
  compile: (limits, context) => {
    const names = namesOf(limits, context);
    if (names === null || !haveOneStore(limits, context)) return null;
    const rules = limits.map((limit, index) => ruleOf(limit, { index, name: names[index] ?? '', context }));
    const sound = rules.filter((rule) => rule !== null);
    if (sound.length < rules.length) return null;
    const { clock } = context.world;
    const known = sound.filter(({ key }) => key.readsIdentity);
    const strangers = sound.filter(({ key }) => !key.readsIdentity);
    return {
      admit: [
        ...(strangers.length === 0 ? [] : [rateLimitPolicy(strangers, { phase: 'rateLimit', clock })]),
        ...(known.length === 0 ? [] : [rateLimitPolicy(known, { phase: 'identityRateLimit', clock })]),
      ],
    };
  },
};

interface Place {
  readonly index: number;
  readonly name: string;
  readonly context: PolicyContext;
}

function ruleOf(config: LimitConfig, { index, name, context }: Place): LimitRule | null {
  const allowance = { rate: config.rate, burst: config.burst ?? config.rate.count };
  const key = countedKey(config, index, context);
  const isPossible =
    allowanceIsPossible(config, allowance, index, context) && costIsPossible(config, allowance, index, context);
  const store = config.store === undefined ? null : rateStoreOf(config.store, [index, 'store'], context);
  if (key === null || !isPossible || store === 'refused') return null;
  const options = { ...allowance, maxKeys: config.keys };
  const id = `rate-limit ${context.owner} ${name} ${key.text}`;
  const limit = context.state(id, () => new Limit(id, name, options));
  context.whenServed(() => limit.adopt(options, context.world.clock.monotonic()));
  const tells = config.headers && !config.dryRun;
  return {
    limit,
    key,
    cost: costOf(config.cost),
    status: config.status,
    dryRun: config.dryRun,
    policyItem: tells ? policyItem(name, gcraOf(allowance)) : null,
    store: store satisfies RateStore | null,
  };
}

/** Two servers can't take at once or not at all. */
function haveOneStore(limits: RateLimitConfig, context: PolicyContext): boolean {
  const first = limits.find(({ store }) => store !== undefined)?.store;
  const other = limits.findIndex(({ store }) => store !== undefined && store !== first);
  if (other === -1) return true;
  const message = `limits of one list share one store: “${first}” or “${limits[other]?.store}”`;
  context.complain([other, 'store'], { message });
  return false;
}

function allowanceIsPossible(
  config: LimitConfig,
  allowance: Allowance,
  index: number,
  context: PolicyContext,
): boolean {
  if (refillMs(allowance) <= LONGEST_REFILL_MS) return true;
  const message = `a burst of ${allowance.burst} would take longer than ${formatDuration(LONGEST_REFILL_MS)} to come back`;
  context.complain([index, config.burst === undefined ? 'rate' : 'burst'], { message });
  return false;
}

function costIsPossible(config: LimitConfig, { burst }: Allowance, index: number, context: PolicyContext): boolean {
  const costs = typeof config.cost === 'number' ? [['', config.cost] as const] : Object.entries(config.cost);
  const dear = costs.find(([, cost]) => cost > burst);
  if (dear === undefined) return true;
  const [method, cost] = dear;
  const message = `a request that costs ${cost} would never be let through: the burst is ${burst}`;
  context.complain([index, 'cost', ...(method === '' ? [] : [method])], { message });
  return false;
}

function costOf(cost: LimitConfig['cost']): (method: string) => number {
  if (typeof cost === 'number') return () => cost;
  const byMethod = new Map(Object.entries(cost));
  const others = byMethod.get('*') ?? 1;
  return (method) => byMethod.get(method) ?? others;
}

function limitWords(limit: LimitConfig): string {
  const { rate, burst = rate.count, cost, store } = limit;
  const costs = typeof cost === 'number' ? (cost === 1 ? '' : `, each costs ${cost}`) : ', costs by method';
  const counted = store === undefined ? '' : `, counted at ${store}`;
  return `${rateWords(rate)}, ${burst} at once${costs}, by ${countedWords(limit)}${counted}`;
}

/** As it is written: `100/s`, `10/30s`. */
function rateWords({ count, periodMs }: RateConfig): string {
  return `${count}/${formatDuration(periodMs).replace(/^1(?=\D)/, '')}`;
}
