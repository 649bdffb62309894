import type { CompiledRule } from './compiled-rule.ts';
import { allHold } from './predicate.ts';
import { compareWithinPath } from './rank.ts';
import type { Matched, RouteRequest } from './route.ts';
import { SpanMap } from './span-map.ts';

/** A place in the trie of path segments. Its lists are in order of rank; `null` where nothing is. */
interface Node<T> {
  literals: SpanMap<Node<T>> | null;
  captured: Node<T> | null;
  /** Rules for exactly this path. */
  end: CompiledRule<T>[] | null;
  /** Rules for this path and everything below it. */
  below: CompiledRule<T>[] | null;
}

/**
 * The rules of one host, by path. HOT: a match visits one node per segment of the path, however many rules there are, plus those
 * that captures make it come back to (never more than there are nodes), and allocates nothing but captures.
 * Rules on one node are tried in turn, and so are all regexes of the host: those two are not flat.
 */
export class PathIndex<T> {
  readonly #root: Node<T> = emptyNode();
  readonly #regexes: CompiledRule<T>[] = [];
  readonly #everything: CompiledRule<T>[] = [];
  /** Where captured segments start and end, by depth of capture. Matching is synchronous, so one scratch serves all. */
  #spans = new Int32Array(16);
  /** Where the remainder of the match starts. */
  #restStart = 0;

  /** Compile time only; take `seal` to its end after the last one. */
  add(compiled: CompiledRule<T>): void {
    const { path } = compiled;
    if (path.captures.length * 2 > this.#spans.length) this.#spans = new Int32Array(path.captures.length * 2);
    if (path.regex !== null) {
      this.#regexes.push(compiled);
      return;
    }
    if (path.segments.length === 0) {
      this.#everything.push(compiled);
      return;
    }
    let node = this.#root;
    for (const segment of path.segments) node = childFor(node, segment);
    node[path.tail] ??= [];
    node[path.tail]?.push(compiled);
  }

  /** Puts every list into order of rank. */
  *seal(): Generator<void, void> {
    this.#regexes.sort(compareWithinPath);
    this.#everything.sort(compareWithinPath);
    yield;
    yield* sealNode(this.#root);
  }

  /** The best rule that holds, or `null`. */
  match(request: RouteRequest): Matched<T> | null {
    const { path } = request;
    const hasSlash = path.charCodeAt(0) === 0x2f;
    if (hasSlash) {
      const found = this.#walk(this.#root, request, 1, 0);
      if (found !== null) return found.path.captures.length === 0 ? found.matched : this.#captured(found, path);
    }
    for (const one of this.#regexes) {
      // Nobody shall wait for a body for the sake of a rule on another path.
      if (one.asksForBody && one.path.regex?.test(path) !== true) continue;
      if (allHold(one.predicates, request) && one.path.regex?.test(path) === true) return regexMatch(one, path);
    }
    for (const one of this.#everything) {
      if (!hasSlash && one.path.needsSlash) continue;
      if (!allHold(one.predicates, request)) continue;
      this.#restStart = 1;
      return one.path.captures.length === 0 ? one.matched : this.#captured(one, path);
    }
    return null;
  }

  /**
   * Best rule at `node` or below it. `start` is where the next segment begins: beyond the path's end when there is none.
   * At each segment literal goes before captured, and both before "everything below": the order of `CompiledPath.rank`.
   */
  #walk(node: Node<T>, request: RouteRequest, start: number, depth: number): CompiledRule<T> | null {
    const { path } = request;
    if (start > path.length) {
      const found = node.end === null ? null : firstThatHolds(node.end, request);
      if (found !== null) return found;
    } else {
      const found = this.#descend(node, request, start, depth);
      if (found !== null) return found;
    }
    if (node.below === null) return null;
    const found = firstThatHolds(node.below, request);
    if (found !== null) this.#restStart = start;
    return found;
  }

  #descend(node: Node<T>, request: RouteRequest, start: number, depth: number): CompiledRule<T> | null {
    const { path } = request;
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const literal = node.literals === null ? null : node.literals.get(path, start, end);
    if (literal !== null) {
      const found = this.#walk(literal, request, end + 1, depth);
      if (found !== null) return found;
    }
    if (node.captured === null || end === start) return null;
    // Deeper captures write further up, so what a failed branch leaves behind is never read.
    this.#spans[depth * 2] = start;
    this.#spans[depth * 2 + 1] = end;
    return this.#walk(node.captured, request, end + 1, depth + 1);
  }

  #captured(found: CompiledRule<T>, path: string): Matched<T> {
    const { captures, capturesRest } = found.path;
    const values: string[] = [];
    const segments = capturesRest ? captures.length - 1 : captures.length;
    for (let i = 0; i < segments; i += 1) {
      values.push(captures[i] as string, path.slice(this.#spans[i * 2], this.#spans[i * 2 + 1]));
    }
    if (capturesRest) values.push(captures[segments] as string, path.slice(this.#restStart));
    return { rule: found.rule, captures: values };
  }
}

function firstThatHolds<T>(rules: readonly CompiledRule<T>[], request: RouteRequest): CompiledRule<T> | null {
  for (let i = 0; i < rules.length; i += 1) {
    const one = rules[i] as CompiledRule<T>;
    if (allHold(one.predicates, request)) return one;
  }
  return null;
}

/** A second, slower pass for the groups, only for the rule that won. */
function regexMatch<T>(one: CompiledRule<T>, path: string): Matched<T> {
  const captures = one.path.captures.length === 0 ? null : (one.path.regex?.capture(path) ?? null);
  return captures === null ? one.matched : { rule: one.rule, captures };
}

function emptyNode<T>(): Node<T> {
  return { literals: null, captured: null, end: null, below: null };
}

function childFor<T>(node: Node<T>, segment: string | null): Node<T> {
  if (segment === null) {
    node.captured ??= emptyNode();
    return node.captured;
  }
  node.literals ??= new SpanMap();
  const known = node.literals.get(segment, 0, segment.length);
  if (known !== null) return known;
  const child = emptyNode<T>();
  node.literals.set(segment, child);
  return child;
}

function* sealNode<T>(node: Node<T>): Generator<void, void> {
  node.end?.sort(compareWithinPath);
  node.below?.sort(compareWithinPath);
  yield;
  if (node.literals !== null) for (const literal of node.literals.values()) yield* sealNode(literal);
  if (node.captured !== null) yield* sealNode(node.captured);
}
