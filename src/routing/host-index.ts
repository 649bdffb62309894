import type { CompiledRule } from './compiled-rule.ts';
import { PathIndex } from './path-index.ts';
import type { Matched, RouteRequest } from './route.ts';
import { SpanMap } from './span-map.ts';

/** A host name read from its last label on. `rules` are those of `*.` and this name. */
interface Suffix<T> {
  labels: SpanMap<Suffix<T>> | null;
  rules: PathIndex<T> | null;
}

/**
 * Rules by host: exact names, then wildcards from the longest on, then rules for any host. When the more specific host has no rule
 * that holds, the next less specific one is asked (Gateway API, HTTPRouteSpec.hostnames).
 * HOT: one hash lookup, and one per label of the host where wildcards share its end; nothing is allocated.
 */
export class HostIndex<T> {
  readonly #exact = new Map<string, PathIndex<T>>();
  readonly #wildcards: Suffix<T> = { labels: null, rules: null };
  readonly #any = new PathIndex<T>();
  readonly #all: PathIndex<T>[] = [this.#any];

  /** Compile time only; take `seal` to its end after the last one. A rule with several hosts is listed under each. */
  add(compiled: CompiledRule<T>): void {
    const hosts = compiled.rule.match.host;
    if (hosts === undefined) {
      this.#any.add(compiled);
      return;
    }
    for (const host of new Set(hosts)) {
      const index = host.startsWith('*.') ? this.#wildcardIndex(host.slice(2)) : this.#exactIndex(host);
      index.add(compiled);
    }
  }

  *seal(): Generator<void, void> {
    for (const index of this.#all) yield* index.seal();
  }

  match(request: RouteRequest): Matched<T> | null {
    const exact = this.#exact.get(request.host);
    if (exact !== undefined) {
      const found = exact.match(request);
      if (found !== null) return found;
    }
    if (this.#wildcards.labels !== null) {
      const found = matchBelow(this.#wildcards, request, request.host.length);
      if (found !== null) return found;
    }
    return this.#any.match(request);
  }

  #exactIndex(host: string): PathIndex<T> {
    const known = this.#exact.get(host);
    if (known !== undefined) return known;
    const index = this.#newIndex();
    this.#exact.set(host, index);
    return index;
  }

  #wildcardIndex(name: string): PathIndex<T> {
    let suffix = this.#wildcards;
    for (const label of name.split('.').reverse()) suffix = suffixFor(suffix, label);
    suffix.rules ??= this.#newIndex();
    return suffix.rules;
  }

  #newIndex(): PathIndex<T> {
    const index = new PathIndex<T>();
    this.#all.push(index);
    return index;
  }
}

/** Longest suffix first: deeper ones are asked before this one's own rules. `end` is where the label to read ends. */
function matchBelow<T>(suffix: Suffix<T>, request: RouteRequest, end: number): Matched<T> | null {
  if (suffix.labels === null || end <= 0) return null;
  const { host } = request;
  const start = host.lastIndexOf('.', end - 1) + 1;
  // `start - 1` is the dot; a wildcard stands for at least one character before it.
  if (start < 2) return null;
  const below = suffix.labels.get(host, start, end);
  if (below === null) return null;
  const found = matchBelow(below, request, start - 1);
  if (found !== null || below.rules === null) return found;
  return below.rules.match(request);
}

function suffixFor<T>(suffix: Suffix<T>, label: string): Suffix<T> {
  suffix.labels ??= new SpanMap();
  const known = suffix.labels.get(label, 0, label.length);
  if (known !== null) return known;
  const below: Suffix<T> = { labels: null, rules: null };
  suffix.labels.set(label, below);
  return below;
}
