import { allHold, compilePredicates, type RuleProblem } from './predicate.ts';
import type { RouteMatch, RouteRequest } from './route.ts';

export type CompiledConditions =
  | { readonly ok: true; readonly holds: (request: RouteRequest) => boolean }
  /** At least one problem; the first key of each is the place in the list. */
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/** Is one of these true of a request? The grammar is that of `match` of routes; nothing is captured. */
export function compileConditions(any: readonly RouteMatch[]): CompiledConditions {
  const problems: RuleProblem[] = [];
  const predicates = compilePredicates({ any }, [], problems);
  if (problems.length > 0) {
    return { ok: false, problems: problems.map(({ message, key }) => ({ message, key: key.slice(1) })) };
  }
  return { ok: true, holds: (request) => allHold(predicates, request) };
}
