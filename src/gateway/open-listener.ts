import type { ListenerConfig } from '../config/schema/listener.ts';
import type { ListenerStatus } from '../control/status.ts';
import { Listener } from '../downstream/listener.ts';
import type { DownstreamDeps, ListenerOptions } from '../downstream/options.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import { schemeOf, urlOf } from './listener-options.ts';
import { type ListenerTls, ReplaceableTls } from './listener-tls.ts';

/** What a listener needs of the gateway, whichever it is. */
export type ListenerGround = Omit<DownstreamDeps, 'certificates' | 'tlsPolicies'> & {
  /** Those that the process was started with. */
  readonly sockets: InheritedSockets;
};

/** A listener with what it was opened by: what a reload compares, and keeps or replaces. */
export class OpenListener {
  readonly listener: Listener;
  readonly options: ListenerOptions;
  readonly #config: ListenerConfig;
  #tls: { readonly key: string; readonly own: ListenerTls } | null;
  readonly #replaceable: ReplaceableTls | null;
  readonly #sockets: InheritedSockets;
  #port: number | null = null;

  /** `tls.key` is another whenever something else must be shown or agreed on. */
  constructor(
    config: ListenerConfig,
    options: ListenerOptions,
    { ground, tls }: { ground: ListenerGround; tls: { readonly key: string; readonly own: ListenerTls } | null },
  ) {
    this.#config = config;
    this.options = options;
    this.#sockets = ground.sockets;
    this.#tls = tls;
    this.#replaceable = tls === null ? null : new ReplaceableTls(tls.own);
    this.listener = new Listener(options, {
      ...ground,
      certificates: this.#replaceable,
      tlsPolicies: this.#replaceable,
    });
  }

  get tls(): ListenerTls | null {
    return this.#tls?.own ?? null;
  }

  get tlsKey(): string | null {
    return this.#tls?.key ?? null;
  }

  /** `null` on a Unix socket, and before it listens. */
  get port(): number | null {
    return this.#port;
  }

  get url(): string {
    return urlOf(this.options.place, schemeOf(this.#config), this.#port);
  }

  /** Rejects with what the system says. */
  async open(): Promise<void> {
    const { name, place } = this.options;
    this.#port = (await this.listener.open(this.#sockets.take(name, place))).port;
  }

  /** In place of `open`, after `listener.prepare()`. */
  takeOver(before: OpenListener): void {
    this.listener.takeOver(before.listener);
    this.#port = before.#port;
  }

  /** Returns what is shown no longer. Connections that are open stay as they are. */
  replaceTls(key: string, own: ListenerTls): ListenerTls | null {
    const before = this.tls;
    this.#tls = { key, own };
    this.#replaceable?.replace(own);
    return before;
  }

  status(): ListenerStatus {
    const { name, kind, connections } = this.listener;
    return { name, kind, url: this.url, connections };
  }

  /** Everything that it had is let go of, whatever is still open. */
  async close(): Promise<void> {
    this.tls?.stop();
    await this.listener.close();
  }

  /** Takes nothing new, and is closed when nothing is left, after `deadlineMs` at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    await this.listener.drain(deadlineMs);
    this.tls?.stop();
  }
}
