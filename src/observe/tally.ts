/** Counts by a short list of names. As large as the number of different lists it has met, which the caller bounds. */
export class Tally {
  readonly #root: Node = { count: 0, children: null };

  add(...names: readonly string[]): void {
    let node = this.#root;
    for (const name of names) {
      node.children ??= new Map();
      let child = node.children.get(name);
      if (child === undefined) {
        child = { count: 0, children: null };
        node.children.set(name, child);
      }
      node = child;
    }
    node.count += 1;
  }

  /** Forgets every list that has a name other than these at `position`, from 0. */
  retain(position: number, names: ReadonlySet<string>): void {
    prune(this.#root, position, names);
  }

  /** Every list with its count. */
  entries(): Iterable<readonly [names: readonly string[], count: number]> {
    return collect(this.#root, []);
  }
}

interface Node {
  count: number;
  children: Map<string, Node> | null;
}

function prune({ children }: Node, position: number, names: ReadonlySet<string>): void {
  if (children === null) return;
  for (const [name, child] of children) {
    if (position > 0) prune(child, position - 1, names);
    else if (!names.has(name)) children.delete(name);
  }
}

function* collect({ count, children }: Node, names: readonly string[]): Iterable<readonly [readonly string[], number]> {
  if (count > 0) yield [names, count];
  if (children === null) return;
  for (const [name, child] of children) yield* collect(child, [...names, name]);
}
