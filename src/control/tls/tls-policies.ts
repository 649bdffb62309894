import type { TlsPolicy, TlsPolicySource } from '../../exchange/tls-policy.ts';
import { type CommonSecrets, ownSecrets } from '../common-secrets.ts';
import { RotatingSecrets, type TicketSecrets, ticketKeysOf } from './ticket-secrets.ts';
import type { TlsSettings } from './tls-settings.ts';

/** With keys from a file, whoever writes the file decides how long they last; sessions end after this all the same. */
const FILE_SESSION_SECONDS = 12 * 3600;
/** A client is looked at anew once a day at least, whatever the rotation. */
const MAX_SESSION_SECONDS = 24 * 3600;

/** The policies of a gateway's TLS listeners. Secrets made here are common to all listeners that rotate alike; bounded by the configuration. */
export class TlsPolicies {
  readonly #now: () => number;
  readonly #common: Pick<CommonSecrets, 'tickets'>;
  readonly #secrets = new Map<number, TicketSecrets>();

  /** `now`: monotonic milliseconds. What `common` does not have is drawn here. */
  constructor(now: () => number, common: Pick<CommonSecrets, 'tickets'> = ownSecrets()) {
    this.#now = now;
    this.#common = common;
  }

  /** The policy of one listener, as `settings` have it. */
  open(settings: TlsSettings): ReplaceablePolicy {
    return new ReplaceablePolicy(settings, (rotationMs) => this.#rotating(rotationMs));
  }

  #rotating(rotationMs: number): TicketSecrets {
    const known = this.#secrets.get(rotationMs);
    if (known !== undefined) return known;
    const made = this.#common.tickets(rotationMs) ?? new RotatingSecrets(rotationMs, this.#now);
    this.#secrets.set(rotationMs, made);
    return made;
  }
}

/** One listener's policy. */
export class ReplaceablePolicy implements TlsPolicySource {
  readonly #rotating: (rotationMs: number) => TicketSecrets;
  #policy: TlsPolicy;

  constructor(settings: TlsSettings, rotating: (rotationMs: number) => TicketSecrets) {
    this.#rotating = rotating;
    this.#policy = policyOf(settings, rotating);
  }

  current(): TlsPolicy {
    return this.#policy;
  }

  /** What is agreed on from now on. Connections that are open stay as they are. */
  replace(settings: TlsSettings): void {
    this.#policy = policyOf(settings, this.#rotating);
  }
}

function policyOf(settings: TlsSettings, rotating: (rotationMs: number) => TicketSecrets): TlsPolicy {
  const { tickets, scope } = settings;
  const { minVersion, profile, clientCertificates } = settings;
  const rest = { minVersion, profile, clientCertificates, scope };
  if (tickets.kind === 'off') return { ...rest, tickets: null, sessionSeconds: 1 };
  if (tickets.kind === 'file') {
    const { secrets } = tickets;
    return { ...rest, tickets: ticketKeysOf({ current: () => secrets }, scope), sessionSeconds: FILE_SESSION_SECONDS };
  }
  const { rotationMs } = tickets;
  const sessionSeconds = Math.min(Math.ceil(rotationMs / 1000), MAX_SESSION_SECONDS);
  return { ...rest, tickets: ticketKeysOf(rotating(rotationMs), scope), sessionSeconds };
}
