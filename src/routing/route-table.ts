import { type CompiledRule, compiledRule } from './compiled-rule.ts';
import { HostIndex } from './host-index.ts';
import type { Matched, RouteRequest, RouteRule } from './route.ts';

/**
 * Which rule does a request belong to? The rules of one listener, indexed by host and path; immutable once made.
 *
 * Precedence, first difference decides: most specific host; path (literal segment before captured, longer prefix before
 * shorter, then regexes, then everything); a method condition; number of header conditions; number of query conditions;
 * number of further conditions; higher `priority`; lower `order`. `docs/routing.md` has it with examples.
 */
export class RouteTable<T> {
  /** As given, compiled: what `trace` walks. */
  readonly compiled: readonly CompiledRule<T>[];
  /** There is a rule that looks at bodies: requests that have one come with a `body`. */
  readonly asksForBody: boolean;
  readonly #hosts: HostIndex<T>;

  private constructor(compiled: readonly CompiledRule<T>[], hosts: HostIndex<T>) {
    this.compiled = compiled;
    this.asksForBody = compiled.some((one) => one.asksForBody);
    this.#hosts = hosts;
  }

  /** Every rule must compile: ask `compileRule` first. Throws a `TypeError` that names the one that does not. */
  static of<T>(rules: readonly RouteRule<T>[]): RouteTable<T> {
    const steps = RouteTable.steps(rules);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** The same in short steps, for who has more to do than to wait for thousands of rules. */
  static *steps<T>(rules: readonly RouteRule<T>[]): Generator<void, RouteTable<T>> {
    const hosts = new HostIndex<T>();
    const compiled: CompiledRule<T>[] = [];
    for (const rule of rules) {
      const one = compiledRule(rule);
      compiled.push(one);
      hosts.add(one);
      yield;
    }
    yield* hosts.seal();
    return new RouteTable(compiled, hosts);
  }

  /**
   * The best rule that holds, or `null`. HOT: under 2 µs with 10 000 rules (`bench/routing.ts`). Allocates the result only when the
   * path captured something. Not for re-entrant use, which a synchronous caller can't have.
   */
  match(request: RouteRequest): Matched<T> | null {
    return this.#hosts.match(request);
  }
}
