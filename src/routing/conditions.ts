import { allHold, compilePredicates, type Key, type RuleProblem } from './predicate.ts';
import type { RouteMatch, RouteRequest } from './route.ts';

export type CompiledConditions =
  | { readonly ok: true; readonly holds: (request: RouteRequest) => boolean }
  /** At least one problem; the first key of each is the place in the list. */
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/**
 * Is one of these true of a request? The grammar is that of `match` of routes but for `body`: nobody reads one to find it out. Nothing is
 * captured.
 */
export function compileConditions(any: readonly RouteMatch[]): CompiledConditions {
  const problems: RuleProblem[] = [];
  const predicates = compilePredicates({ any }, [], problems);
  for (const [index, match] of any.entries()) refuseBody(match, [index], problems);
  if (problems.length > 0) {
    return { ok: false, problems: problems.map(withoutAny) };
  }
  return { ok: true, holds: (request) => allHold(predicates, request) };
}

/** Of the `any` that they were compiled as. */
function withoutAny({ message, key }: RuleProblem): RuleProblem {
  return { message, key: key[0] === 'any' ? key.slice(1) : key };
}

/** Depth is bounded by the parser of the configuration. */
function refuseBody({ body, all, any, not }: RouteMatch, key: Key, problems: RuleProblem[]): void {
  if (body !== undefined) {
    problems.push({
      message: 'the body is not known here: conditions on it stand in "match" of routes',
      key: [...key, 'body'],
    });
  }
  for (const [i, part] of (all ?? []).entries()) refuseBody(part, [...key, 'all', i], problems);
  for (const [i, part] of (any ?? []).entries()) refuseBody(part, [...key, 'any', i], problems);
  if (not !== undefined) refuseBody(not, [...key, 'not'], problems);
}
