import type { ListenerOptions } from '../downstream/options.ts';
import type { ListenerTls } from './listener-tls.ts';
import type { OpenListener } from './open-listener.ts';

/** What is opened before it is known whether all can be. */
export class FrontDraft {
  readonly next = new Map<string, OpenListener>();
  readonly opened: string[] = [];
  readonly changed: string[] = [];
  readonly #before: readonly OpenListener[];
  readonly #takeOvers: { readonly from: OpenListener; readonly to: OpenListener }[] = [];
  readonly #replacements: { readonly listener: OpenListener; readonly key: string; readonly own: ListenerTls }[] = [];
  readonly #new: OpenListener[] = [];

  constructor(before: ReadonlyMap<string, OpenListener>) {
    this.#before = [...before.values()];
  }

  replaceTls(listener: OpenListener, key: string, own: ListenerTls): void {
    const { name } = listener.options;
    this.#replacements.push({ listener, key, own });
    this.next.set(name, listener);
    this.changed.push(name);
  }

  /** Binds its place, or marks it as to be taken over from who listens there. Rejects with what the system says. */
  async open(listener: OpenListener): Promise<void> {
    const { name } = listener.options;
    const holder = this.#before.find(({ options }) => listensAt(options, listener.options));
    this.#new.push(listener);
    await listener.listener.prepare();
    if (holder === undefined) await listener.open();
    else this.#takeOvers.push({ from: holder, to: listener });
    this.next.set(name, listener);
    (holder === undefined ? this.opened : this.changed).push(name);
  }

  commit(): { readonly superseded: readonly ListenerTls[]; readonly fresh: readonly ListenerTls[] } {
    for (const { from, to } of this.#takeOvers) to.takeOver(from);
    const superseded = this.#replacements.flatMap(({ listener, key, own }) => listener.replaceTls(key, own) ?? []);
    const fresh = [...this.#new.flatMap(({ tls }) => tls ?? []), ...this.#replacements.map(({ own }) => own)];
    return { superseded, fresh };
  }

  async abandon(): Promise<void> {
    for (const { own } of this.#replacements) own.stop();
    await Promise.all(this.#new.map((listener) => listener.close()));
  }
}

/** Whatever the mode of its file: a Unix socket is there once. A port that the system chooses is nobody else's. */
function listensAt(open: ListenerOptions, wanted: ListenerOptions): boolean {
  const [a, b] = [open.place, wanted.place];
  if (a.kind === 'unix' || b.kind === 'unix') return a.kind === 'unix' && b.kind === 'unix' && a.path === b.path;
  return a.host === b.host && a.port === b.port && (a.port !== 0 || open.name === wanted.name);
}
