import { lookup, Resolver } from 'node:dns/promises';
import type { Asked } from '../../upstream/discovery/known-answer.ts';
import type { SrvRecord } from '../../upstream/discovery/srv.ts';
import { HostsFile, hostsFilePath } from './hosts-file.ts';

/** One question to the name system. Every promise resolves, whatever happens. */
export interface NameLookup {
  /** `servers`: name servers to ask, `address:port`; the system's when there are none. */
  addresses(name: string, family: 4 | 6, servers: readonly string[]): Promise<Asked<string>>;
  services(name: string, servers: readonly string[]): Promise<Asked<SrvRecord>>;
  /** Gives up all questions under way. */
  close(): void;
}

/** For one server, tried twice. */
const PATIENCE = { timeout: 1_500, maxTimeout: 1_500, tries: 2 } as const;
/** The hosts file tells no TTL, and looking at it costs nothing. */
const HOSTS_TTL_MS = 5_000;

const REASONS: Readonly<Record<string, string>> = {
  ETIMEOUT: 'dns-timeout',
  ESERVFAIL: 'dns-server-failure',
  EREFUSED: 'dns-refused',
  ECONNREFUSED: 'dns-unreachable',
  EAI_AGAIN: 'dns-unreachable',
  ECANCELLED: 'cancelled',
};

/**
 * Names as this machine resolves them: its hosts file, then its name servers, which unlike getaddrinfo(3) say how long an answer
 * holds and take no thread. What they don't know, getaddrinfo is asked for after all: it has search domains, multicast DNS and
 * whatever else the system is set up with. One at a time, since each takes one of the four threads that files need too.
 *
 * With `servers` given only these are asked.
 */
export class SystemNames implements NameLookup {
  readonly #hosts: HostsFile;
  readonly #asking = new Set<Resolver>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(hosts: HostsFile = new HostsFile(hostsFilePath())) {
    this.#hosts = hosts;
  }

  async addresses(name: string, family: 4 | 6, servers: readonly string[]): Promise<Asked<string>> {
    if (servers.length === 0) {
      const all = await this.#hosts.addresses(name);
      const items = all.filter((address) => address.includes(':') === (family === 6));
      // Who writes one family into the hosts file means that one.
      if (all.length > 0 && items.length === 0) return { kind: 'none', reason: 'no-address' };
      if (items.length > 0) return { kind: 'found', items, ttlMs: HOSTS_TTL_MS };
      // RFC 6761 §6.4: nobody has to be asked.
      if (name === 'invalid' || name.endsWith('.invalid')) return { kind: 'none', reason: 'no-such-name' };
    }
    const asked = await this.#ask(servers, async (resolver) => {
      const options = { ttl: true } as const;
      const records = family === 4 ? await resolver.resolve4(name, options) : await resolver.resolve6(name, options);
      const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1_000;
      return { items: records.map(({ address }) => address), ttlMs };
    });
    const isUnknown = asked.kind !== 'found' && (asked.reason === 'no-such-name' || asked.reason === 'dns-unreachable');
    if (servers.length > 0 || !isUnknown) return asked;
    // Whoever is still in the line when the gateway closes would keep the process alive, one after the other.
    return this.#inTurn(async () => (this.#closed ? asked : askSystem(name, family, asked)));
  }

  /** Node does not tell the TTL of SRV records. */
  services(name: string, servers: readonly string[]): Promise<Asked<SrvRecord>> {
    return this.#ask(servers, async (resolver) => {
      const records = await resolver.resolveSrv(name);
      const items = records.map(({ name: target, port, priority, weight }) => ({ target, port, priority, weight }));
      return { items, ttlMs: null };
    });
  }

  close(): void {
    this.#closed = true;
    for (const resolver of this.#asking) resolver.cancel();
  }

  /** A resolver for each question: the servers of a machine change, and so each question has a source port of its own (RFC 5452 §9.2). */
  async #ask<T>(
    servers: readonly string[],
    question: (resolver: Resolver) => Promise<{ readonly items: readonly T[]; readonly ttlMs: number | null }>,
  ): Promise<Asked<T>> {
    if (this.#closed) return { kind: 'failed', reason: 'cancelled' };
    const resolver = new Resolver(PATIENCE);
    this.#asking.add(resolver);
    try {
      if (servers.length > 0) resolver.setServers(servers);
      const { items, ttlMs } = await question(resolver);
      return items.length === 0 ? { kind: 'none', reason: 'no-address' } : { kind: 'found', items, ttlMs };
    } catch (error) {
      return unanswered(error);
    } finally {
      this.#asking.delete(resolver);
    }
  }

  #inTurn<T>(deed: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(deed);
    this.#turn = mine;
    return mine;
  }
}

/** `before` is what the name servers had to say, for when the system knows no better. */
async function askSystem(name: string, family: 4 | 6, before: Asked<string>): Promise<Asked<string>> {
  try {
    const found = await lookup(name, { family, all: true });
    const items = found.map(({ address }) => address);
    return items.length === 0 ? before : { kind: 'found', items, ttlMs: null };
  } catch (error) {
    const asked = unanswered(error);
    return asked.kind === 'failed' && asked.reason !== 'dns-failure' ? asked : before;
  }
}

function unanswered(error: unknown): { readonly kind: 'none' | 'failed'; readonly reason: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND') return { kind: 'none', reason: 'no-such-name' };
  if (code === 'ENODATA') return { kind: 'none', reason: 'no-address' };
  return { kind: 'failed', reason: REASONS[code] ?? 'dns-failure' };
}
