import type { ListenerRules } from '../../engine/snapshot.ts';
import { concealer } from '../explain/secrets.ts';
import type { PlanSide } from './make-plan.ts';
import type { RouteChanges } from './plan.ts';
import { witnessOf } from './witness.ts';

/** Requests that are told; with more, the list says less than its beginning. */
export const MOST_MOVED = 50;

/** One request for each route of both, asked of the tables of both. */
export function* movedRequests(before: PlanSide, next: PlanSide): Generator<void, RouteChanges['moved']> {
  const moved = new Map<string, RouteChanges['moved'][number]>();
  for (const [listener, rules] of next.compiled.snapshot.listeners) {
    const former = before.compiled.snapshot.listeners.get(listener);
    if (former === undefined || former.table === rules.table) continue;
    const asking = [
      ...former.table.compiled.map(({ rule }) => ({ rule, side: before })),
      ...rules.table.compiled.map(({ rule }) => ({ rule, side: next })),
    ];
    for (const { rule, side } of asking) {
      if (moved.size >= MOST_MOVED) return [...moved.values()];
      const witness = witnessOf(rule.match);
      yield;
      if (witness === null || moved.has(witness.text)) continue;
      const [from, to] = [winner(former, witness.request), winner(rules, witness.request)];
      if (from?.key === to?.key) continue;
      // A path may be one that only some know.
      const request = concealer(side.origins)(['routes', rule.order, 'match'], witness.text);
      moved.set(witness.text, { request, from: from?.name ?? null, to: to?.name ?? null });
    }
  }
  return [...moved.values()];
}

/** A route without a name is the same one as long as it matches the same. */
function winner(
  { table }: ListenerRules,
  request: Parameters<ListenerRules['table']['match']>[0],
): { readonly key: string; readonly name: string } | null {
  const matched = table.match(request);
  if (matched === null) return null;
  const { name, at, match } = matched.rule;
  return { key: name === at ? JSON.stringify(match) : name, name };
}
