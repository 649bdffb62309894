import type { Redis, RedisOptions } from 'iovalkey';
import type { RedisConfig } from '../../../config/schema/stores.ts';
import { readNamedFileLater } from '../../named-file.ts';
import { SCRIPT, SCRIPT_SHA } from './script.ts';

/** One connection to a server. It is not mended: who wants another makes another. */
export interface StoreConnection {
  /**
   * Runs the script with `keyCount` keys at the start of its arguments. `done` is called once with an error or what was returned, but not for what
   * is unanswered when the connection is lost or closed.
   */
  run(keyCount: number, args: readonly string[], done: (error: Error | null, reply: unknown) => void): void;
  /** Its socket is destroyed; nothing is called any more. */
  close(): void;
}

export interface ConnectionEvents {
  /** It may be used. Called once at most. */
  ready(): void;
  /** It can't be used any more, if it ever could. Called once at most, and last. */
  lost(why: string): void;
}

/** Begins to connect; must not throw. */
export type Connect = (config: RedisConfig, events: ConnectionEvents) => StoreConnection;

const CONNECT_TIMEOUT_MS = 2_000;

export const connectRedis: Connect = (config, events) => new RedisConnection(config, events);

class RedisConnection implements StoreConnection {
  readonly #events: ConnectionEvents;
  #client: Redis | null = null;
  #over = false;
  /** What the client said last; the end comes without a reason. */
  #why = 'the connection was closed';

  constructor(config: RedisConfig, events: ConnectionEvents) {
    this.#events = events;
    this.#begin(config).catch((error: unknown) => this.#lose((error as Error).message));
  }

  run(keyCount: number, args: readonly string[], done: (error: Error | null, reply: unknown) => void): void {
    this.#command('EVALSHA', [SCRIPT_SHA, String(keyCount), ...args], (error, reply) => {
      if (error?.message.startsWith('NOSCRIPT') !== true) done(error, reply);
      else this.#command('EVAL', [SCRIPT, String(keyCount), ...args], done);
    });
  }

  close(): void {
    this.#over = true;
    this.#client?.disconnect();
    // A server that hangs never ends its side.
    this.#client?.stream?.destroy();
  }

  async #begin(config: RedisConfig): Promise<void> {
    // Optional: whoever has no store needs no client for one.
    const [{ Redis }, ca] = await Promise.all([
      import('iovalkey'),
      config.ca === undefined ? null : readNamedFileLater(config.ca),
    ]);
    if (this.#over) return;
    const url = new URL(config.url);
    const client = new Redis(optionsOf(config, url, ca));
    this.#client = client;
    client.on('error', (error: Error) => {
      this.#why = error.message;
    });
    client.on('end', () => this.#lose(this.#why));
    client.on('ready', () => {
      this.#shield(client.stream);
      this.#introduce(config, url);
    });
    client.connect().catch(() => {
      // Told by “end”.
    });
  }

  /** What the parser of the client throws, as for lists within lists that no stack could hold, ends the connection and not the process. */
  #shield(stream: Redis['stream']): void {
    for (const parse of stream.listeners('data') as ((chunk: Buffer) => void)[]) {
      stream.removeListener('data', parse);
      stream.on('data', (chunk: Buffer) => {
        try {
          parse(chunk);
        } catch (error) {
          this.#lose((error as Error).message);
        }
      });
    }
  }

  /** Here and not by the client, which only warns on the console of a password that nobody asked for. */
  #introduce(config: RedisConfig, url: URL): void {
    const password = config.password || decodeURIComponent(url.password);
    const username = config.username ?? decodeURIComponent(url.username);
    const database = url.pathname.slice(1);
    const steps: (readonly [string, readonly string[]])[] = [];
    if (password !== '') steps.push(['AUTH', username === '' ? [password] : [username, password]]);
    if (database !== '' && database !== '0') steps.push(['SELECT', [database]]);
    const next = (): void => {
      const step = steps.shift();
      if (step === undefined) {
        if (!this.#over) this.#events.ready();
        return;
      }
      this.#command(step[0], step[1], (error) => {
        if (error === null) next();
        else this.#lose(`${step[0]}: ${error.message}`);
      });
    };
    next();
  }

  #command(name: string, args: readonly string[], done: (error: Error | null, reply: unknown) => void): void {
    if (this.#client === null || this.#over) return;
    this.#client.call(name, [...args], (error, reply) => {
      if (!this.#over) done(error ?? null, reply);
    });
  }

  #lose(why: string): void {
    if (this.#over) return;
    this.close();
    this.#events.lost(why);
  }
}

function optionsOf(config: RedisConfig, url: URL, ca: Buffer | null): RedisOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // An address is no server name (RFC 6066 §3); certificates are held against the host then.
  const isAddress = /:|^[\d.]+$/.test(host);
  const servername = config.serverName ?? (isAddress ? undefined : host);
  const tls = { ...(ca === null ? {} : { ca }), ...(servername === undefined ? {} : { servername }) };
  return {
    host,
    port: url.port === '' ? 6379 : Number(url.port),
    family: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    ...(url.protocol === 'rediss:' ? { tls } : {}),
  };
}
