/** Values by server name: exact names, then wildcards from the longest on. `*.shop.test` covers every name below `shop.test`. */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the `*`: `.shop.test`. */
  readonly #wildcards = new Map<string, T>();

  /** `names` in lower case, each at most once. */
  constructor(entries: Iterable<readonly [name: string, value: T]>) {
    for (const [name, value] of entries) {
      if (name.startsWith('*.')) this.#wildcards.set(name.slice(1), value);
      else this.#exact.set(name, value);
    }
  }

  /** `serverName` in lower case. One lookup, and one per label where there are wildcards. */
  find(serverName: string): T | null {
    const exact = this.#exact.get(serverName);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size === 0) return null;
    // From the second character on: a wildcard stands for at least one.
    for (let dot = serverName.indexOf('.', 1); dot !== -1; dot = serverName.indexOf('.', dot + 1)) {
      const found = this.#wildcards.get(serverName.slice(dot));
      if (found !== undefined) return found;
    }
    return null;
  }
}
