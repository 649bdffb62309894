/** Clients that are remembered at once. */
const MOST_CLIENTS = 4096;

/**
 * Something about each client address, for a bounded number of them: who was heard of least recently is forgotten first. All of a
 * /64 is one client where addresses are IPv6: whoever has one of them has all.
 */
export class ClientTable<T> {
  readonly #clients = new Map<string, T>();

  get size(): number {
    return this.#clients.size;
  }

  get(address: string): T | undefined {
    const key = keyOf(address);
    const found = this.#clients.get(key);
    if (found === undefined) return undefined;
    this.#clients.delete(key);
    this.#clients.set(key, found);
    return found;
  }

  set(address: string, value: T): void {
    const key = keyOf(address);
    this.#clients.delete(key);
    this.#clients.set(key, value);
    if (this.#clients.size <= MOST_CLIENTS) return;
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined) this.#clients.delete(oldest);
  }

  delete(address: string): void {
    this.#clients.delete(keyOf(address));
  }
}

function keyOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address;
  const [head = '', tail] = address.split('::', 2);
  const groups = head.split(':');
  // What `::` stands for is zeros, and it may stand for some of the first four groups.
  const zeros = tail === undefined ? 0 : Math.max(0, 4 - groups.filter((group) => group !== '').length);
  return `${groups
    .filter((group) => group !== '')
    .slice(0, 4)
    .join(':')}:${'0:'.repeat(zeros)}`;
}
