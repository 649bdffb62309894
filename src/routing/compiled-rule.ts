import { countOfBody } from './body/body-match.ts';
import { anyPath, type CompiledPath, compilePath } from './path-pattern.ts';
import { compilePredicates, type Predicate, type RuleProblem } from './predicate.ts';
import { remembered } from './remembered.ts';
import { type Matched, noCaptures, type RouteMatch, type RouteRule } from './route.ts';

/** A rule ready to be matched. Immutable: tables of several listeners share it. */
export interface CompiledRule<T> {
  readonly rule: RouteRule<T>;
  readonly path: CompiledPath;
  /** Every condition but host and path, cheapest first. */
  readonly predicates: readonly Predicate[];
  /** One of them looks at the body. */
  readonly asksForBody: boolean;
  readonly weight: Weight;
  /** What a match returns when nothing was captured; the same object every time. */
  readonly matched: Matched<T>;
}

/** How many conditions a rule has beside host and path, by kind, in the order in which they rank. */
export interface Weight {
  readonly method: 0 | 1;
  readonly headers: number;
  readonly query: number;
  /** Each cookie, each test of the client certificate, `client`, `sni`, each part of `all`, `any`, `not`, each test of the body. */
  readonly further: number;
}

export type CompileResult<T> =
  | { readonly ok: true; readonly compiled: CompiledRule<T> }
  /** At least one problem; all that were found. */
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/** Compiles a rule, or says what is wrong with its regular expressions, paths and client networks. */
export function compileRule<T>(rule: RouteRule<T>): CompileResult<T> {
  const conditions = conditionsOf(rule.match);
  if (!conditions.ok) return conditions;
  const { path, predicates, asksForBody, weight } = conditions;
  const matched = Object.freeze({ rule, captures: noCaptures });
  return { ok: true, compiled: { rule, path, predicates, asksForBody, weight, matched } };
}

/** As `compileRule`, for callers that were promised a rule that compiles. Throws a `TypeError` that names it if not. */
export function compiledRule<T>(rule: RouteRule<T>): CompiledRule<T> {
  const result = compileRule(rule);
  if (result.ok) return result.compiled;
  throw new TypeError(`Cannot compile route "${rule.name}" (${rule.at}): ${result.problems[0]?.message}`);
}

type Conditions =
  | ({ readonly ok: true } & Pick<CompiledRule<unknown>, 'path' | 'predicates' | 'asksForBody' | 'weight'>)
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/** Remembered: the configuration check, `vet` and a table per listener ask for the same ones, and regexes are dear. */
const conditionsOf = remembered((match: RouteMatch): Conditions => {
  const problems: RuleProblem[] = [];
  const path = match.path === undefined ? ({ ok: true, path: anyPath } as const) : compilePath(match.path);
  if (!path.ok) problems.push({ message: path.message, key: ['path'] });
  const predicates = compilePredicates(match, [], problems);
  if (!path.ok || problems.length > 0) return { ok: false, problems };
  const asksForBody = predicates.some((one) => one.asksForBody);
  return { ok: true, path: path.path, predicates, asksForBody, weight: weightOf(match) };
});

function weightOf(match: RouteMatch): Weight {
  return {
    method: match.method === undefined ? 0 : 1,
    headers: countOf(match.headers),
    query: countOf(match.query),
    further:
      countOf(match.cookies) +
      countOf(match.clientCertificate) +
      (match.client === undefined ? 0 : 1) +
      (match.sni === undefined ? 0 : 1) +
      (match.all?.length ?? 0) +
      (match.any === undefined ? 0 : 1) +
      (match.not === undefined ? 0 : 1) +
      countOfBody(match.body),
  };
}

function countOf(record: Readonly<Record<string, unknown>> | undefined): number {
  return record === undefined ? 0 : Object.keys(record).length;
}
