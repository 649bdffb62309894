import { type BareExplanation, explainBare, hiderOf } from '../explain/explain.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { Subject } from '../explain/subject.ts';
import type { TestCase } from './collect.ts';
import { compare, type Difference } from './compare.ts';

export interface TestResult {
  readonly name: string;
  readonly at: string;
  /** Nothing is different. */
  readonly ok: boolean;
  readonly differences: readonly (Difference & { readonly at: string })[];
  /** Why the route that was expected did not take it, of the first hundred; `null` where that is not the point. */
  readonly hint: string | null;
}

export interface TestRun {
  readonly results: readonly TestResult[];
  readonly coverage: Coverage;
}

/** Which routes the tests have reached. */
export interface Coverage {
  readonly routes: number;
  readonly reached: number;
  /** 0 to 100, rounded down so that 100 means all; 100 for no routes. */
  readonly percent: number;
  readonly unreached: readonly { readonly name: string; readonly at: string }[];
}

/** Tests for which every route is asked why it did not take the request: 1 µs each. */
const MOST_HINTS = 100;

/** Asks what would become of each request, and compares. Nothing is started or sent. */
export function runTests(subject: Subject, cases: readonly TestCase[]): TestRun {
  const reached = new Set<number>();
  let hints = 0;
  const hintFor = (test: TestCase, route: string): string | null => {
    hints += 1;
    return hints > MOST_HINTS ? null : missOf(route, explainBare(subject, test.question));
  };
  const results = cases.map((test) => {
    const told = explainBare(subject, test.question, { others: false });
    if (told.index !== null) reached.add(told.index);
    return resultOf(subject, test, { told, hintFor });
  });
  return { results, coverage: coverageOf(subject, reached) };
}

function resultOf(
  subject: Subject,
  test: TestCase,
  { told, hintFor }: { told: BareExplanation; hintFor: (test: TestCase, route: string) => string | null },
): TestResult {
  const { name, at, expected, beside, where } = test;
  const own = beside === null ? null : { index: beside, name: nameOf(subject, beside) };
  const hideOfRoute = hiderOf(subject, told.index);
  const hide = (text: string): string => test.hide(hideOfRoute(text));
  const differences = compare(expected, told, own).map((found) => ({
    ...found,
    ...(CREDENTIAL.test(found.field) ? SECRET : { expected: hide(found.expected), actual: hide(found.actual) }),
    at: where(found.key),
  }));
  const wrongRoute = differences.find(({ field }) => field === 'route');
  const hint = wrongRoute === undefined ? null : hintFor(test, wrongRoute.expected);
  return { name, at, ok: differences.length === 0, differences, hint: hint === null ? null : hide(hint) };
}

/** Reports are kept where many can read them. */
const CREDENTIAL = /^headers (?:(?:proxy-)?authorization|cookie)$/i;
const SECRET = { expected: '(secret)', actual: '(something else)' };

function nameOf({ config, origins }: Subject, index: number): string {
  return config.routes[index]?.name ?? origins.where(['routes', index]);
}

/** What kept the route that was expected from it. */
function missOf(route: string, { nearMisses, alsoMatch, route: winner, outcome }: Explanation): string | null {
  const miss = nearMisses.find(({ name }) => name === route);
  if (miss !== undefined) {
    const conditions = miss.misses.map(({ subject, actual, wanted }) => `${subject} is ${actual}, wants ${wanted}`);
    return `${route}: ${conditions.join('; ')}`;
  }
  const later = alsoMatch.find(({ name }) => name === route);
  if (later !== undefined) return `${route} matches too, but ${winner?.name} goes first: ${later.by}`;
  return outcome.kind === 'refuse' ? `${outcome.status} ${outcome.reason}` : null;
}

function coverageOf(subject: Subject, reached: ReadonlySet<number>): Coverage {
  const { config, origins } = subject;
  const all = [...config.routes.keys()];
  const unreached = all.filter((index) => !reached.has(index));
  const percent = all.length === 0 ? 100 : Math.floor((100 * (all.length - unreached.length)) / all.length);
  return {
    routes: all.length,
    reached: all.length - unreached.length,
    percent,
    unreached: unreached.map((index) => ({ name: nameOf(subject, index), at: origins.where(['routes', index]) })),
  };
}
