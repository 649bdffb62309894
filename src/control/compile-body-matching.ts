import type { Config } from '../config/schema/config.ts';
import type { BodyMatching } from '../engine/body-prefix.ts';
import type { ListenerRules, RoutePlan } from '../engine/snapshot.ts';
import { policiesOn } from '../policy/policy-plan.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { Ledger } from './ledger.ts';

/** What is held of bodies is one memory for all configurations: the bounds of this one hold once it is served. */
export function compileBodyMatching({ bodyMatching }: Config, ledger: Ledger): BodyMatching {
  const { limit, timeout, memory } = bodyMatching;
  ledger.whenServed(() => ledger.prefixes.adopt(memory));
  const { clock } = ledger.upstream;
  return { limitBytes: limit, timeoutMs: timeout, memory: ledger.prefixes, clock };
}

/** The largest body that any route of a listener takes; `null` for no bound, and where no route asks. */
export function mostBodyBytes(
  table: RouteTable<RoutePlan>,
  { listener, limitBytes }: { readonly listener: string; readonly limitBytes: ListenerRules['bodyLimitBytes'] },
): number | null {
  if (!table.asksForBody) return null;
  let most = limitBytes ?? Number.POSITIVE_INFINITY;
  for (const { rule } of table.compiled) {
    const { policies } = rule.plan;
    const own = policies === null ? null : policiesOn(policies, listener)?.bodyLimitBytes;
    most = Math.max(most, own ?? most);
  }
  return Number.isFinite(most) ? most : null;
}
