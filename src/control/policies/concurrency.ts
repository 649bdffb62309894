import type { ConcurrencyConfig } from '../../config/schema/policy/rate-limit.ts';
import { type ConcurrencyRule, concurrencyPolicy, InFlight } from '../../policy/rate-limit/concurrency.ts';
import { countedKey, countedWords, namesOf } from './counted.ts';
import type { PolicyKind } from './policy-kind.ts';

/** Limits of routes, groups and listeners all hold. */
export const concurrencyKind: PolicyKind<ConcurrencyConfig> = {
  merge: 'all',
  words: (limits) => limits.map((limit) => `${limit.max} at once by ${countedWords(limit)}`).join('; '),
  compile: (limits, context) => {
    const names = namesOf(limits, context);
    if (names === null) return null;
    const rules: ConcurrencyRule[] = [];
    for (const [index, config] of limits.entries()) {
      const key = countedKey(config, index, context);
      if (key === null) continue;
      const name = names[index] ?? '';
      const id = `concurrency ${context.owner} ${name} ${key.text}`;
      const inFlight = context.state(id, () => new InFlight(id, name));
      const { max, status, dryRun } = config;
      rules.push({ inFlight, key, max, status, dryRun, retryAfterSeconds: Math.ceil(config.retryAfter / 1000) });
    }
    return rules.length < limits.length ? null : { admit: [concurrencyPolicy(rules)] };
  },
};
