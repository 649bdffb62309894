import { type CompiledRule, compiledRule } from './compiled-rule.ts';
import { type Facts, factsOf, finiteValues, type ValueFact } from './facts.ts';
import { contradiction, implies } from './implication.ts';
import { anyPath, type CompiledPath } from './path-pattern.ts';
import { compareWithinPath, decidedBy } from './rank.ts';
import type { RouteMatch, RouteRule } from './route.ts';

/** A rule that no request will ever get to. */
export interface Finding<T> {
  readonly rule: RouteRule<T>;
  readonly kind: 'never-matches' | 'hidden';
  /** The rule that takes its requests; the first of them when several do. `null` for `never-matches`. */
  readonly by: RouteRule<T> | null;
  /** A sentence that names the rules concerned. */
  readonly message: string;
}

/** Rules that are compared with one rule, per listener and host: bounds the time on thousands of rules for one path. */
const MAX_COMPARED = 100;
/** Comparisons of rules with `all`, `any` or `not` in one vetting: they take about 15 µs, all others less than one. */
const MAX_NESTED_COMPARED = 20_000;

/**
 * Rules that can never match, and rules wholly hidden by one that always goes first, in the order given. Sound, not complete:
 * what is reported is dead, what is not may still be. Every rule must compile. 10 000 rules take about 0.2 s:
 * a rule is compared only with those on its very host and path.
 */
export function vet<T>(rules: readonly RouteRule<T>[]): readonly Finding<T>[] {
  const steps = vetSteps(rules);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The same in short steps, for who has more to do than to wait for thousands of rules. */
export function* vetSteps<T>(rules: readonly RouteRule<T>[]): Generator<void, readonly Finding<T>[]> {
  const neighbours = new Neighbours<T>();
  const all: CompiledRule<T>[] = [];
  for (const rule of rules) {
    const compiled = compiledRule(rule);
    all.push(compiled);
    neighbours.add(compiled);
    yield;
  }
  yield* neighbours.seal();
  const findings: Finding<T>[] = [];
  for (const compiled of all) {
    const finding = neverMatches(compiled.rule) ?? hidden(compiled, neighbours);
    if (finding !== null) findings.push(finding);
    yield;
  }
  return findings;
}

function neverMatches<T>(rule: RouteRule<T>): Finding<T> | null {
  const reason = contradiction(factsOf([rule.match]));
  if (reason === null) return null;
  return { rule, kind: 'never-matches', by: null, message: `Route ${titled(rule)} can never match: ${reason}` };
}

/** A rule is hidden when, on each of its listeners and for each of its hosts, some rule takes all its requests. */
function hidden<T>(compiled: CompiledRule<T>, neighbours: Neighbours<T>): Finding<T> | null {
  const { rule } = compiled;
  const hiders = new Set<CompiledRule<T>>();
  for (const host of hostsOf(rule.match)) {
    // Taken one by one, since different rules may cover different hosts.
    const facts = factsOf(host === null ? [rule.match] : [{ ...rule.match, host: [host] }]);
    for (const listener of rule.listeners ?? [null]) {
      const hider = neighbours.hider(compiled, { facts, host, listener });
      if (hider === null) return null;
      hiders.add(hider);
    }
  }
  const [first] = hiders;
  if (first === undefined) return null;
  const names = [...hiders].slice(0, 3).map((hider) => `${titled(hider.rule)}, ${reasonFor(hider, compiled)}`);
  const message = `Route ${titled(rule)} is never chosen: every request it matches goes to ${names.join(', or to ')}`;
  return { rule, kind: 'hidden', by: first.rule, message };
}

function reasonFor(hider: CompiledRule<unknown>, compiled: CompiledRule<unknown>): string {
  switch (decidedBy(hider, compiled)) {
    case 'order':
      return 'which holds for all of them and comes earlier';
    case 'priority':
      return 'which holds for all of them and has the higher priority';
    default:
      return 'which holds for all of them and is more specific';
  }
}

function titled(rule: RouteRule<unknown>): string {
  return `"${rule.name}" (${rule.at})`;
}

function hostsOf(match: RouteMatch): readonly (string | null)[] {
  return match.host ?? [null];
}

/** One host of one listener that a rule serves, and what is known of its requests there. `null` stands for every one. */
interface Place {
  readonly facts: Facts;
  readonly host: string | null;
  readonly listener: string | null;
}

/** Rules by host, path shape and one condition they can't be met without. */
class Neighbours<T> {
  readonly #lists = new Map<string, CompiledRule<T>[]>();
  #nestedLeft = MAX_NESTED_COMPARED;

  add(compiled: CompiledRule<T>): void {
    const anchor = anchorOf(compiled.rule.match);
    for (const host of new Set(hostsOf(compiled.rule.match))) {
      const key = keyOf(host, compiled.path.shape, anchor);
      const list = this.#lists.get(key);
      if (list === undefined) this.#lists.set(key, [compiled]);
      else list.push(compiled);
    }
  }

  /** To be taken to its end after the last one was added. */
  *seal(): Generator<void, void> {
    for (const list of this.#lists.values()) {
      list.sort(compareWithinPath);
      yield;
    }
  }

  /** A rule that takes every request that `compiled` gets in `place`, or `null`. */
  hider(compiled: CompiledRule<T>, place: Place): CompiledRule<T> | null {
    let left = MAX_COMPARED;
    for (const anchor of anchorsKnown(place.facts)) {
      for (const shape of shapesCovering(compiled.path)) {
        for (const other of this.#lists.get(keyOf(place.host, shape, anchor)) ?? []) {
          if (left === 0 || compareWithinPath(other, compiled) >= 0) break;
          left -= 1;
          if (this.#mayCompare(other, place) && takesAll(other, place)) return other;
        }
      }
    }
    return null;
  }

  #mayCompare(other: CompiledRule<T>, { facts }: Place): boolean {
    const { all, any, not } = other.rule.match;
    const isNested = (all ?? any ?? not) !== undefined || facts.anys.length + facts.nots.length > 0;
    if (!isNested) return true;
    this.#nestedLeft -= 1;
    return this.#nestedLeft >= 0;
  }
}

/** Host and path are met already: both stand in the same place of the index. */
function takesAll(other: CompiledRule<unknown>, { facts, listener }: Place): boolean {
  const { listeners, match } = other.rule;
  if (listeners !== null && (listener === null || !listeners.includes(listener))) return false;
  return implies(facts, { ...match, host: undefined, path: undefined });
}

function keyOf(host: string | null, shape: string, anchor: string): string {
  return `${host ?? ''}\n${shape}\n${anchor}`;
}

/** Rules without a path condition rank with those on everything below "/", and hold for whatever these hold for. */
function shapesCovering(path: CompiledPath): readonly string[] {
  return path.rank === anyPath.rank && path.needsSlash ? [path.shape, anyPath.shape] : [path.shape];
}

/** One condition that must be known of a request before the rule can be met; `''` for none that is easy to name. */
function anchorOf(match: RouteMatch): string {
  return anchors(factsOf([{ ...match, all: undefined }]))[0] ?? '';
}

/** Every anchor that `facts` can meet. */
function anchorsKnown(facts: Facts): readonly string[] {
  return [...anchors(facts), ''];
}

function anchors(facts: Facts): readonly string[] {
  return [
    ...valueAnchors('header', facts.headers),
    ...valueAnchors('cookie', facts.cookies),
    ...valueAnchors('query', facts.query),
    ...valueAnchors('client certificate', facts.certificate),
    ...valueAnchors('body json', facts.json),
    ...facts.sni.flatMap((names) => (isOneName(names) ? [`sni ${names[0]}`] : [])),
    ...facts.methods.flatMap((methods) => (methods.length === 1 ? [`method ${methods[0]}`] : [])),
  ];
}

function isOneName(names: readonly string[]): boolean {
  return names.length === 1 && names[0]?.startsWith('*') === false;
}

function valueAnchors(what: string, tests: readonly ValueFact[]): readonly string[] {
  return tests.flatMap(({ name, test }) => {
    const values = finiteValues(test);
    return values?.length === 1 ? [`${what} ${name}=${values[0]}`] : [];
  });
}
