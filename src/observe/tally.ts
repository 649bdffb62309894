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

  /** Every list with its count. */
  entries(): readonly (readonly [names: readonly string[], count: number])[] {
    return collect(this.#root, []);
  }
}

interface Node {
  count: number;
  children: Map<string, Node> | null;
}

function collect(node: Node, names: readonly string[]): (readonly [readonly string[], number])[] {
  const own: (readonly [readonly string[], number])[] = node.count === 0 ? [] : [[names, node.count]];
  if (node.children === null) return own;
  return [...own, ...[...node.children].flatMap(([name, child]) => collect(child, [...names, name]))];
}
