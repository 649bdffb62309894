import { REVOCATION_LIST_PATH } from '../admin/operations/certificates.ts';
import type { Clock } from '../clock.ts';
import type { Origins } from '../config/origins.ts';
import type { Config } from '../config/schema/config.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { CertificateStatus } from '../control/certificates/certificate-status.ts';
import type { Compiled } from '../control/compile.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { Ledger } from '../control/ledger.ts';
import type { ListenerStatus } from '../control/status.ts';
import type { DownstreamObserver, ListenerOptions } from '../downstream/options.ts';
import type { Engine } from '../engine/engine.ts';
import type { Logger } from '../observe/log.ts';
import { bindError } from './bind-error.ts';
import { FrontDraft } from './front-draft.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import { listenerOptions, urlOf } from './listener-options.ts';
import type { ListenerTls } from './listener-tls.ts';
import { OpenListener } from './open-listener.ts';
import { SharedTls } from './shared-tls.ts';

export interface FrontParts {
  readonly admin: Config['admin'];
  /** Where the local CA, ACME and what they make are kept. */
  readonly directory: string;
  readonly engine: Pick<Engine, 'handle' | 'streams'>;
  readonly ledger: Ledger;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly downstreamLog: DownstreamObserver;
  /** Those that the process was started with. */
  readonly sockets: InheritedSockets;
}

/** What the listeners are made from. */
export interface FrontPlan {
  readonly config: Config;
  readonly origins: Origins;
  readonly compiled: Compiled;
}

/** Listeners that differ from those that are open, ready to take their places. */
export interface FrontChange {
  /** Names, for people. */
  readonly opened: readonly string[];
  readonly changed: readonly string[];
  readonly closed: readonly string[];
  /** Nothing can fail any more. What is superseded drains. */
  commit(): void;
  /** Gives back what was opened. */
  abandon(): Promise<void>;
}

/** Everything that clients meet: the listeners, and the certificates and TLS settings that they need. */
export class Front {
  readonly #parts: FrontParts;
  readonly #tls: SharedTls;
  #listeners: ReadonlyMap<string, OpenListener> = new Map();
  /** What takes nothing new and is not done yet. */
  readonly #draining = new Set<OpenListener>();
  #started = false;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    const { directory, ledger, http, clock, log } = parts;
    const revocationListUrl = urlOfRevocationList(parts.admin);
    const certificates = () => this.certificates();
    this.#tls = new SharedTls({ directory, ledger, http, clock, log, revocationListUrl, certificates });
  }

  /** Base URL by listener name. */
  get urls(): ReadonlyMap<string, string> {
    return new Map([...this.#listeners].map(([name, { url }]) => [name, url]));
  }

  /**
   * Opens what `plan` has and is not open as it says: sockets that nobody of ours listens on are bound, the others are taken over when it is
   * committed. Rejects with a `StartError` at the first that can't be, and gives back what was opened.
   */
  async prepare(plan: FrontPlan): Promise<FrontChange> {
    const draft = new FrontDraft(this.#listeners);
    try {
      for (const [name, config] of Object.entries(plan.config.listeners)) await this.#plan(draft, name, config, plan);
    } catch (error) {
      await draft.abandon();
      throw error;
    }
    const closed = [...this.#listeners.keys()].filter((name) => !draft.next.has(name));
    return {
      opened: draft.opened,
      changed: draft.changed,
      closed,
      commit: () => this.#commit(draft, plan.config.drainTimeout),
      abandon: () => draft.abandon(),
    };
  }

  /** Certificates and keys are looked after from now on. */
  start(): void {
    this.#started = true;
    for (const { tls } of this.#listeners.values()) tls?.start();
    this.#tls.start();
  }

  /** The listener accepts from one more socket, until `release`. Rejects with the system's error for what is no listening socket. */
  async adopt(listener: string, fd: number): Promise<void> {
    await this.#listeners.get(listener)?.listener.adopt(fd);
  }

  release(listener: string, fd: number): void {
    this.#listeners.get(listener)?.listener.release(fd);
  }

  status(): readonly ListenerStatus[] {
    return [...this.#listeners.values()].map((listener) => listener.status());
  }

  certificates(): readonly CertificateStatus[] {
    return [...this.#listeners.values()].flatMap(({ tls }) => tls?.status() ?? []);
  }

  /** That of the local CA, DER; `null` while there is none. */
  revocationList(): Buffer | null {
    return this.#tls.revocationList();
  }

  /** Takes nothing new; resolves when nothing is left, after `deadlineMs` at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    const all = this.#all();
    for (const { tls } of all) tls?.stopOrders();
    await Promise.all(all.map(({ listener }) => listener.drain(deadlineMs)));
  }

  async close(): Promise<void> {
    this.#tls.stop();
    await Promise.all(this.#all().map((listener) => listener.close()));
  }

  #all(): readonly OpenListener[] {
    return [...this.#listeners.values(), ...this.#draining];
  }

  async #plan(draft: FrontDraft, name: string, config: ListenerConfig, plan: FrontPlan): Promise<void> {
    const options = listenerOptions(name, config);
    const tlsKey = config.tls === undefined ? null : tlsKeyOf(name, config.tls, plan);
    const current = this.#listeners.get(name);
    const same = current !== undefined && JSON.stringify(current.options) === JSON.stringify(options);
    if (same && current.tlsKey === tlsKey) {
      draft.next.set(name, current);
      return;
    }
    const own = config.tls === undefined ? null : await this.#tls.open(name, config.tls, plan.compiled);
    if (same && own !== null && tlsKey !== null) {
      draft.replaceTls(current, tlsKey, own);
      return;
    }
    const opened = this.#newListener(config, options, own === null || tlsKey === null ? null : { key: tlsKey, own });
    await draft.open(opened).catch((error: unknown) => {
      const heldBy = this.#holderOf(options.place);
      throw bindError(error, { place: options.place, path: ['listeners', name], origins: plan.origins, heldBy });
    });
  }

  /** Whose port it is, whatever its address; `null` when none of ours. */
  #holderOf(place: ListenerOptions['place']): string | null {
    if (place.kind === 'unix') return null;
    return [...this.#listeners].find(([, { port }]) => port === place.port)?.[0] ?? null;
  }

  #newListener(
    config: ListenerConfig,
    options: ListenerOptions,
    tls: { readonly key: string; readonly own: ListenerTls } | null,
  ): OpenListener {
    const { engine, clock, downstreamLog, ledger, sockets } = this.#parts;
    const { handle, streams } = engine;
    const { tlsChallenges } = ledger;
    return new OpenListener(config, options, {
      ground: { handle, streams, clock, log: downstreamLog, tlsChallenges, sockets },
      tls,
    });
  }

  #commit(draft: FrontDraft, drainMs: number): void {
    const before = this.#listeners;
    const { superseded, fresh } = draft.commit();
    this.#listeners = draft.next;
    for (const [name, { port }] of this.#listeners) if (port !== null) this.#parts.ledger.ports.set(name, port);
    for (const name of before.keys()) if (!this.#listeners.has(name)) this.#parts.ledger.ports.delete(name);
    if (this.#started) for (const tls of fresh) tls.start();
    this.#tls.changed();
    for (const listener of before.values()) {
      if (![...this.#listeners.values()].includes(listener)) this.#retire(listener, drainMs);
    }
    for (const tls of superseded) tls.stop();
  }

  #retire(listener: OpenListener, drainMs: number): void {
    this.#draining.add(listener);
    void listener.drain(drainMs).then(() => this.#draining.delete(listener));
  }
}

/** What the local CA mints for depends on the hosts of routes too, and whom ACME is believed to be on a file. */
function tlsKeyOf(name: string, tls: NonNullable<ListenerConfig['tls']>, { compiled }: FrontPlan): string {
  return JSON.stringify([tls, compiled.certificates.get(name)?.minted, compiled.acme.get(name)?.ca]);
}

/** `null` for a port that is another one at each start, since what is minted is stored; and for a Unix socket. */
function urlOfRevocationList({ address, port, socket }: Config['admin']): string | null {
  if (port === 0 || socket !== undefined) return null;
  return `${urlOf({ kind: 'tcp', host: address, port }, 'http', port)}${REVOCATION_LIST_PATH}`;
}
