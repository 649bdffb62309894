import type { ConcurrencyRuleConfig, LimitConfig } from '../../config/schema/policy/rate-limit.ts';
import { compileKey, type KeyExpression } from '../../policy/rate-limit/key.ts';
import type { PolicyContext } from './policy-kind.ts';

/** What limits of both kinds have in common. */
type Counted = LimitConfig | ConcurrencyRuleConfig;

/** What each of several limits is called; `null` after a complaint. */
export function namesOf(limits: readonly Counted[], context: PolicyContext): readonly string[] | null {
  const names = limits.map(({ name }, index) => name ?? (index === 0 ? 'default' : `default-${index + 1}`));
  const again = names.findIndex((name, index) => names.indexOf(name) < index);
  if (again === -1) return names;
  const message = `there are two limits “${names[again]}”`;
  context.complain([again, 'name'], { code: 'HG0104', message, suggestion: 'each needs a name of its own' });
  return null;
}

/** What a limit counts apart; `null` after a complaint. */
export function countedKey(config: Counted, index: number, context: PolicyContext): KeyExpression | null {
  const result = compileKey(config.key, context.captures, config);
  if (result.ok) return result.value;
  for (const { path, message } of result.problems) context.complain([index, 'key', ...path], { message });
  return null;
}

export function countedWords({ key, dryRun, name }: Counted): string {
  const by = key.length === 0 ? 'all requests together' : key.join(' and ');
  return `${by}${name === undefined ? '' : ` (${name})`}${dryRun ? ', only watching' : ''}`;
}
