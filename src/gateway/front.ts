import { REVOCATION_LIST_PATH } from '../admin/routes/revocation-list.ts';
import type { Clock } from '../clock.ts';
import type { Origins } from '../config/origins.ts';
import type { Config } from '../config/schema/config.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { CertificateStatus } from '../control/certificates/certificate-status.ts';
import { LocalAuthority } from '../control/certificates/local-authority.ts';
import type { CompileResult } from '../control/compile.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { Ledger } from '../control/ledger.ts';
import type { ListenerStatus } from '../control/status.ts';
import { TlsPolicies } from '../control/tls/tls-policies.ts';
import { Listener } from '../downstream/listener.ts';
import type { DownstreamObserver } from '../downstream/options.ts';
import type { Engine } from '../engine/engine.ts';
import type { Logger } from '../observe/log.ts';
import { Acme } from './acme.ts';
import { bindError } from './bind-error.ts';
import { GatewayCertificates } from './gateway-certificates.ts';
import { listenerOptions, schemeOf, urlOf } from './listener-options.ts';

export interface FrontParts {
  readonly config: Config;
  readonly origins: Origins;
  /** Where the local CA, ACME and what they make are kept. */
  readonly directory: string;
  readonly compiled: CompileResult & { readonly ok: true };
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly downstreamLog: DownstreamObserver;
}

/** Everything that clients meet: the listeners, and the certificates and TLS settings that they need. */
export class Front {
  /** Base URL by listener name. */
  readonly urls = new Map<string, string>();
  readonly #parts: FrontParts;
  readonly #listeners: Listener[] = [];
  readonly #certificates: GatewayCertificates;
  readonly #localAuthority: LocalAuthority;
  readonly #tlsPolicies: TlsPolicies;
  readonly #acme: Acme;

  constructor(parts: FrontParts) {
    this.#parts = parts;
    const { config, compiled, directory, ledger, http, clock, log } = parts;
    this.#localAuthority = new LocalAuthority({
      directory,
      now: () => clock.now(),
      trouble: (message) => log.warn(message),
      revocationListUrl: revocationListUrl(config.admin),
    });
    this.#certificates = new GatewayCertificates({ clock, log, ask: http });
    this.#tlsPolicies = new TlsPolicies({ clock, log });
    this.#acme = new Acme({ plans: compiled.acme, ledger, http, clock, directory, log });
  }

  /** Binds every listener. Rejects with a `StartError` at the first that can't be. */
  async open(): Promise<void> {
    for (const [name, config] of Object.entries(this.#parts.config.listeners)) await this.#listen(name, config);
  }

  /** Certificates and keys are looked after from now on. */
  start(): void {
    this.#certificates.start();
    this.#tlsPolicies.start();
    this.#acme.start();
  }

  status(): readonly ListenerStatus[] {
    return this.#listeners.map(({ name, kind, connections }) => ({
      name,
      kind,
      url: this.urls.get(name) ?? '',
      connections,
    }));
  }

  certificates(): readonly CertificateStatus[] {
    return this.#certificates.status();
  }

  /** That of the local CA, DER; `null` while there is none. */
  revocationList(): Buffer | null {
    return this.#localAuthority.revocationList();
  }

  /** Takes nothing new; resolves when nothing is left, after `deadlineMs` at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    this.#acme.stop();
    await Promise.all(this.#listeners.map((listener) => listener.drain(deadlineMs)));
  }

  async close(): Promise<void> {
    this.#certificates.stop();
    this.#tlsPolicies.stop();
    this.#acme.stop();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  async #listen(name: string, config: ListenerConfig): Promise<void> {
    const { compiled, engine, ledger, clock, downstreamLog, origins } = this.#parts;
    const plan = compiled.certificates.get(name);
    const settings = compiled.tlsSettings.get(name);
    const acme = await this.#acme.open(name);
    const providers = { localAuthority: this.#localAuthority, acme, now: () => clock.now() };
    const certificates = plan === undefined ? null : await this.#certificates.open(name, plan, providers);
    const options = listenerOptions(name, config);
    const listener = new Listener(options, {
      handle: engine.handle,
      clock,
      log: downstreamLog,
      certificates,
      tlsPolicies:
        settings === undefined || config.tls === undefined
          ? null
          : this.#tlsPolicies.follow(name, config.tls, settings),
      tlsChallenges: this.#acme.tlsChallenges,
      streams: engine.streams,
    });
    this.#listeners.push(listener);
    const { port } = await listener.open().catch((error: unknown) => {
      throw bindError(error, { place: options.place, path: ['listeners', name], origins });
    });
    if (port !== null) ledger.ports.set(name, port);
    this.urls.set(name, urlOf(options.place, schemeOf(config), port));
  }
}

/** `null` for a port that is another one at each start: what is minted is stored. */
function revocationListUrl({ address, port }: Config['admin']): string | null {
  if (port === 0) return null;
  return `${urlOf({ kind: 'tcp', host: address, port }, 'http', port)}${REVOCATION_LIST_PATH}`;
}
