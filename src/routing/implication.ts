import { bodyImplies } from './body/body-implication.ts';
import { containsNetwork, type Network } from './client-list.ts';
import {
  type Facts,
  factsOf,
  finiteValues,
  headerFacts,
  networksOf,
  pathOf,
  type ValueFact,
  valueFacts,
} from './facts.ts';
import { hostCovers, hostsOverlap } from './host-pattern.ts';
import { pathCovers, pathsOverlap } from './path-pattern.ts';
import { remembered } from './remembered.ts';
import type { RouteMatch, ValueTest } from './route.ts';
import { compileValueTest } from './value-test.ts';

/** Nesting of `any` and `not` that is looked into; beyond it the answer is "can't tell". Bounds the work on hostile nesting. */
const DEPTH = 2;
/** Branches of an `any` that are told apart. */
const MAX_BRANCHES = 32;

/**
 * True if every request that has `facts` is one that `match` holds for. Sound, not complete: `false` also means "can't tell".
 * Headers and query parameters may be repeated and pass if one value does, so two values of one name don't exclude each other.
 */
export function implies(facts: Facts, match: RouteMatch, depth = DEPTH): boolean {
  if (impliesPlain(facts, match) && impliesNested(facts, match, depth)) return true;
  if (depth === 0) return false;
  // Case by case: whichever branch of an `any` holds, the conclusion does.
  return facts.anys.some(
    (branches) =>
      branches.length <= MAX_BRANCHES &&
      branches.every((branch) => implies(factsOf([...facts.sources, branch]), match, depth - 1)),
  );
}

function impliesPlain(facts: Facts, match: RouteMatch): boolean {
  const { host, sni, method, client, path, body } = match;
  if (host !== undefined && !facts.hosts.some((known) => isWithin(known, host, hostCovers))) return false;
  if (sni !== undefined && !facts.sni.some((known) => isWithin(known, sni, hostCovers))) return false;
  if (method !== undefined && !facts.methods.some((known) => isWithin(known, method, (a, b) => a === b))) return false;
  if (client !== undefined && !impliesClient(facts, networksOf(client))) return false;
  if (path !== undefined && !facts.paths.some((known) => pathCovers(pathOf(path), known))) return false;
  if (body !== undefined && !facts.bodies.some((known) => bodyImplies(known, body, testImplies))) return false;
  return (
    impliesValues(facts.headers, headerFacts(match.headers)) &&
    impliesValues(facts.cookies, valueFacts(match.cookies)) &&
    impliesValues(facts.query, valueFacts(match.query)) &&
    impliesValues(facts.certificate, valueFacts(match.clientCertificate))
  );
}

function impliesClient(facts: Facts, wanted: readonly Network[]): boolean {
  return facts.clients.some((known) => isWithin(known, wanted, containsNetwork));
}

function impliesNested(facts: Facts, match: RouteMatch, depth: number): boolean {
  const { all, any, not } = match;
  if (all?.some((part) => !implies(facts, part, depth)) === true) return false;
  if (any !== undefined && !any.some((branch) => implies(facts, branch, depth))) return false;
  if (not === undefined) return true;
  if (depth === 0) return false;
  const excluded = factsOf([not]);
  return (
    contradiction(factsOf([...facts.sources, not]), depth - 1) !== null ||
    facts.nots.some((known) => implies(excluded, known, depth - 1))
  );
}

function isWithin<V>(known: readonly V[], wanted: readonly V[], covers: (outer: V, inner: V) => boolean): boolean {
  return known.every((inner) => wanted.some((outer) => covers(outer, inner)));
}

function impliesValues(known: readonly ValueFact[], wanted: readonly ValueFact[]): boolean {
  return wanted.every(({ name, test }) => known.some((fact) => fact.name === name && testImplies(fact.test, test)));
}

const checkOf = remembered((test: ValueTest) => compileValueTest(test));

function testImplies(known: ValueTest, wanted: ValueTest): boolean {
  if (known.kind === 'absent' || wanted.kind === 'absent') return known.kind === wanted.kind;
  if (wanted.kind === 'present') return true;
  const values = finiteValues(known);
  if (values !== null) {
    const result = checkOf(wanted);
    return result.ok && values.every((value) => result.check.accepts(value));
  }
  if (wanted.kind === 'prefix') {
    return wanted.value === '' || (known.kind === 'prefix' && known.value.startsWith(wanted.value));
  }
  return wanted.kind === 'regex' && known.kind === 'regex' && known.value === wanted.value;
}

/** Why no request has all of `facts`, for people, or `null` if one might. Sound, not complete. */
export function contradiction(facts: Facts, depth = DEPTH): string | null {
  return plainContradiction(facts) ?? valueContradiction(facts) ?? nestedContradiction(facts, depth);
}

function plainContradiction(facts: Facts): string | null {
  if (!agree(facts.hosts, hostsOverlap)) return 'its host conditions exclude each other';
  if (!agree(facts.sni, hostsOverlap)) return 'its sni conditions exclude each other';
  if (!agree(facts.methods, (a, b) => a === b)) return 'its method conditions exclude each other';
  if (!agree(facts.clients, (a, b) => containsNetwork(a, b) || containsNetwork(b, a)))
    return 'its client conditions exclude each other';
  const paths = facts.paths.map((path) => [path]);
  return agree(paths, pathsOverlap) ? null : 'its path conditions exclude each other';
}

/** False if a list is empty, or two lists have nothing in common: then no single value is in all of them. */
function agree<V>(lists: readonly (readonly V[])[], overlap: (a: V, b: V) => boolean): boolean {
  return lists.every(
    (list, i) =>
      list.length > 0 && lists.slice(0, i).every((other) => list.some((a) => other.some((b) => overlap(a, b)))),
  );
}

function valueContradiction(facts: Facts): string | null {
  return (
    presenceContradiction('header', facts.headers) ??
    presenceContradiction('query parameter', facts.query) ??
    presenceContradiction('cookie', facts.cookies) ??
    presenceContradiction('client certificate', facts.certificate) ??
    presenceContradiction('JSON value', facts.json) ??
    singleContradiction('JSON value', facts.json) ??
    singleContradiction('cookie', facts.cookies) ??
    singleContradiction('client certificate', facts.certificate.filter(isSingle))
  );
}

function presenceContradiction(what: string, tests: readonly ValueFact[]): string | null {
  for (const { name, test } of tests) {
    if (finiteValues(test)?.length === 0) return `${what} "${name}" has no value to choose from`;
    if (test.kind !== 'absent') continue;
    if (tests.some((other) => other.name === name && other.test.kind !== 'absent'))
      return `${what} "${name}" can't be absent and have a value`;
  }
  return null;
}

/** A certificate has one subject and one fingerprint, and may have many alternative names. */
function isSingle({ name }: ValueFact): boolean {
  return name !== 'san';
}

/** Only the first cookie of a name counts, and there is one value at a place in a JSON document, so there two values do exclude each other. */
function singleContradiction(what: string, tests: readonly ValueFact[]): string | null {
  for (const { name, test } of tests) {
    const values = finiteValues(test);
    if (values === null) continue;
    const same = tests.filter((other) => other.name === name).map((other) => checkOf(other.test));
    if (!values.some((value) => same.every((result) => !result.ok || result.check.accepts(value))))
      return `no value of ${what} "${name}" meets all of its conditions`;
  }
  return null;
}

function nestedContradiction(facts: Facts, depth: number): string | null {
  if (depth === 0) return null;
  for (const branches of facts.anys) {
    if (branches.length > MAX_BRANCHES) continue;
    if (branches.every((branch) => contradiction(factsOf([...facts.sources, branch]), depth - 1) !== null))
      return 'no alternative of "any" agrees with its other conditions';
  }
  if (facts.nots.some((not) => implies(facts, not, depth - 1)))
    return '"not" excludes everything that its other conditions allow';
  return null;
}
