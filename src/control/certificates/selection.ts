import type { CertificateSource, ServerCertificate } from '../../exchange/certificate.ts';
import type { LoadedCertificate } from './certificate-file.ts';

/** What a listener can show at one moment. */
export interface SelectionContent {
  /** In the order of the configuration; the first is for clients that name no server, and for names that nobody knows. */
  readonly certificates: readonly LoadedCertificate[];
  /** Names of certificates that can't be used now. Unless something else has them, they are refused. */
  readonly quarantined: readonly string[];
}

export interface SelectionOptions {
  /** Asked in turn for names that no file has. */
  readonly providers: readonly CertificateSource[];
  /** What a name gets that nobody has. */
  readonly unknownNames: 'default' | 'refuse';
  /** The OCSP response to staple to a certificate, or `null` while there is none. Asked at each handshake that wants one. */
  readonly staple: ((certificate: LoadedCertificate) => Uint8Array | null) | null;
}

/**
 * Chooses by server name: exact, then a wildcard for its first label, then what the providers have, then the default or a
 * refusal. Certificates with different kinds of keys for one name are shown as one: the client takes the kind it can verify;
 * of two of one kind the first in the configuration counts. Two look-ups, however many names there are.
 */
export class CertificateSelection implements CertificateSource {
  readonly #options: SelectionOptions;
  #index: Index = emptyIndex;

  constructor(content: SelectionContent, options: SelectionOptions) {
    this.#options = options;
    this.replace(content);
  }

  /** Handshakes from now on get these. What did not change keeps its identity. */
  replace(content: SelectionContent): void {
    this.#index = indexOf(content, { before: this.#index, staple: this.#options.staple });
  }

  /** Hot: once per TLS handshake. */
  certificateFor(serverName: string | null): ServerCertificate | null | Promise<ServerCertificate | null> {
    if (serverName === null) return this.#index.first ?? this.#ask(null, 0);
    return find(this.#index.names, serverName) ?? this.#ask(serverName, 0);
  }

  get hasSeveralKeys(): boolean {
    return this.#index.hasSeveralKeys;
  }

  #ask(serverName: string | null, from: number): ServerCertificate | null | Promise<ServerCertificate | null> {
    const { providers } = this.#options;
    for (let i = from; i < providers.length; i += 1) {
      const found = providers[i]?.certificateFor(serverName) ?? null;
      if (found instanceof Promise) return found.then((certificate) => certificate ?? this.#ask(serverName, i + 1));
      if (found !== null) return found;
    }
    return this.#unknown(serverName);
  }

  #unknown(serverName: string | null): ServerCertificate | null | Promise<ServerCertificate | null> {
    if (serverName === null) return null;
    const index = this.#index;
    if (this.#options.unknownNames === 'refuse' || find(index.quarantined, serverName) === true) return null;
    return index.first ?? this.#ask(null, 0);
  }
}

/** Immutable; a new one for each change. Bounded by the names in the files. */
interface Index {
  /** Exact names as they are, wildcards as `*.example.com`. */
  readonly names: ReadonlyMap<string, ServerCertificate>;
  readonly quarantined: ReadonlyMap<string, true>;
  readonly first: ServerCertificate | null;
  readonly hasSeveralKeys: boolean;
  /** Made of these certificates: what is asked for again keeps its identity, and with it what is derived from it. */
  readonly made: ReadonlyMap<string, ServerCertificate>;
}

const emptyIndex: Index = {
  names: new Map(),
  quarantined: new Map(),
  first: null,
  hasSeveralKeys: false,
  made: new Map(),
};

function find<T>(names: ReadonlyMap<string, T>, serverName: string): T | undefined {
  const exact = names.get(serverName);
  if (exact !== undefined) return exact;
  const dot = serverName.indexOf('.');
  return dot <= 0 ? undefined : names.get(`*${serverName.slice(dot)}`);
}

function indexOf(
  { certificates, quarantined }: SelectionContent,
  { before, staple }: { before: Index; staple: SelectionOptions['staple'] },
): Index {
  const made = new Map<string, ServerCertificate>();
  const shown = (group: readonly LoadedCertificate[]): ServerCertificate => {
    const key = group.map(({ digest }) => digest).join(' ');
    const known = made.get(key) ?? before.made.get(key) ?? serverCertificate(group, staple);
    made.set(key, known);
    return known;
  };
  const names = new Map([...groupsOf(certificates)].map(([name, group]) => [name, shown(group)]));
  const [first] = certificates;
  return {
    names,
    quarantined: new Map(quarantined.map((name) => [name, true])),
    first: first === undefined ? null : (names.get(first.names[0] ?? '') ?? shown([first])),
    hasSeveralKeys: made.values().some(({ pairs }) => pairs.length > 1),
    made,
  };
}

function groupsOf(certificates: readonly LoadedCertificate[]): ReadonlyMap<string, readonly LoadedCertificate[]> {
  const groups = new Map<string, LoadedCertificate[]>();
  for (const certificate of certificates) {
    for (const name of certificate.names) {
      const group = groups.get(name);
      if (group === undefined) groups.set(name, [certificate]);
      else if (!group.some(({ keyType }) => keyType === certificate.keyType)) group.push(certificate);
    }
  }
  return groups;
}

function serverCertificate(group: readonly LoadedCertificate[], staple: SelectionOptions['staple']): ServerCertificate {
  const [only, another] = group;
  // Of two, nobody can say before the handshake which the client will be shown, and the wrong one's status would break it.
  const stapled = staple === null || only === undefined || another !== undefined ? null : only;
  return {
    pairs: group.map(({ pair }) => pair),
    ocspResponse: stapled === null || staple === null ? null : () => staple(stapled),
  };
}
