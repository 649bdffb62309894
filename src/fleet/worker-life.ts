import { closeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { loadBeside } from '../config/beside/load-beside.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadConfigText, servable } from '../config/load.ts';
import { SeededSecrets } from '../control/common-secrets.ts';
import type { Prepared } from '../control/reload.ts';
import { startWorker, type Worker } from '../gateway.ts';
import type {
  CallName,
  Calls,
  DeskCall,
  FromWorker,
  Loan,
  PlainFamily,
  Refusal,
  Standing,
  StartOrder,
  ToWorker,
} from './protocol.ts';
import { refusalOf } from './refusal.ts';

/** The life of one worker, in its own process: it does what it is told over the channel. */
export class WorkerLife {
  readonly #gateway: Worker;
  readonly #secrets: SeededSecrets;
  /** Copies that are not in use. */
  readonly #loans: Loan[];
  readonly #borrowed = new Map<number, readonly Loan[]>();
  #prepared: Prepared | null = null;
  /** Who gave up waiting for it may say so before it is there. */
  #preparing: Promise<unknown> = Promise.resolve();
  #ending: Promise<void> | null = null;

  private constructor(gateway: Worker, secrets: SeededSecrets, loans: readonly Loan[]) {
    this.#gateway = gateway;
    this.#secrets = secrets;
    this.#loans = [...loans];
  }

  /** Loads everything, waits until the listeners may be `opened`, and tells that it is ready. Rejects as `startGateway` does. */
  static async begin(order: StartOrder, opened: Promise<Standing>): Promise<WorkerLife> {
    const { number, text, seed, leads, known, certificatesDirectory, development, strict, sockets } = order;
    const secrets = new SeededSecrets(seed, () => Date.now());
    const gateway = await startWorker({
      ...{ ...loaded(text), certificatesDirectory, development, strict, sockets, logLevel: order.logLevel },
      // For plans alone: what is to be served comes over the channel.
      source: { load: () => loadBeside({ path: text.path, environment: process.env }) },
      worker: {
        number,
        secrets,
        probes: { leads, known, told: (news) => tell({ kind: 'news', news }) },
        beforeOpening: async (desk) => {
          tell({ kind: 'prepared' });
          const { byHand, logLevel } = await opened;
          if (logLevel !== (await desk.logLevel())) await desk.setLogLevel(logLevel, { via: 'program', address: null });
          for (const call of byHand) await askDesk(desk, call);
        },
      },
    });
    tell({ kind: 'ready', urls: gateway.urls, quarantined: gateway.quarantined });
    return new WorkerLife(gateway, secrets, order.loans);
  }

  take(message: Exclude<ToWorker, { kind: 'start' | 'open' }>): void {
    if (message.kind === 'news') this.#gateway.hear(message.news);
    else void this.#answer(message.id, message.name, message.parameters);
  }

  /** Drains. What was prepared is given up. */
  end(): Promise<void> {
    this.#ending ??= this.#drain();
    return this.#ending;
  }

  async #answer(id: number, name: CallName, parameters: readonly unknown[]): Promise<void> {
    try {
      const call = this.#calls[name] as (...parameters: unknown[]) => unknown;
      const value = await call(...parameters);
      if (name === 'families') await tellInParts(id, value as readonly PlainFamily[]);
      else tell({ kind: 'answer', id, value });
    } catch (bug) {
      tell({ kind: 'failed', id, message: bug instanceof Error ? (bug.stack ?? bug.message) : String(bug) });
    }
    // What is told is told before the channel closes.
    if (name === 'drain') process.disconnect?.();
  }

  readonly #calls: Deeds = {
    desk: (call) => askDesk(this.#gateway.desk, call),
    families: () => this.#families(),
    prepare: ({ text, seed }) => {
      this.#secrets.learn(seed.chains);
      return this.#prepare(text);
    },
    commit: () => {
      const prepared = this.#prepared;
      this.#prepared = null;
      if (prepared === null) throw new TypeError('Cannot commit: nothing is prepared');
      const changes = prepared.commit();
      this.#closeLoansOf(changes.listeners.closed);
      return changes;
    },
    abandon: async () => {
      await this.#abandon();
      return undefined;
    },
    plan: async (text) => {
      try {
        return await this.#gateway.planFor(loaded(text));
      } catch (error) {
        return { refusal: refusalOf(error) };
      }
    },
    beat: () => undefined,
    drain: async () => {
      await this.end();
      return this.#families();
    },
    reopenLogs: () => void this.#gateway.reopenLogs(),
    lead: (leads) => void this.#gateway.lead(leads),
    probes: () => this.#gateway.probes(),
    borrow: (of) => this.#borrow(of),
    giveBack: (of) => {
      for (const { name, fd } of this.#borrowed.get(of) ?? []) this.#gateway.release(name, fd);
      this.#borrowed.delete(of);
      return undefined;
    },
  };

  async #families(): Promise<readonly PlainFamily[]> {
    return this.#gateway.metrics();
  }

  async #prepare(text: StartOrder['text']): Promise<Refusal | null> {
    await this.#abandon();
    const preparing = this.#keepPrepared(text);
    this.#preparing = preparing;
    return preparing;
  }

  async #keepPrepared(text: StartOrder['text']): Promise<Refusal | null> {
    try {
      this.#prepared = await this.#gateway.prepare(loaded(text));
      return null;
    } catch (error) {
      return refusalOf(error);
    }
  }

  async #abandon(): Promise<void> {
    await this.#preparing;
    const prepared = this.#prepared;
    this.#prepared = null;
    await prepared?.abandon();
  }

  async #borrow(of: number): Promise<number> {
    if (!this.#borrowed.has(of)) {
      const taken = this.#takeCopies(of);
      this.#borrowed.set(of, taken);
      for (const { name, fd } of taken) await this.#gateway.adopt(name, fd);
    }
    const left = this.#loans.filter((loan) => loan.of === of).length;
    return taken(left, this.#borrowed.get(of)?.length ?? 0);
  }

  /** Otherwise they would keep sockets listening on which nobody accepts. */
  #closeLoansOf(listeners: readonly string[]): void {
    for (const loan of [...this.#loans]) {
      if (!listeners.includes(loan.name)) continue;
      this.#loans.splice(this.#loans.indexOf(loan), 1);
      closeSync(loan.fd);
    }
  }

  /** One of each listener. */
  #takeCopies(of: number): readonly Loan[] {
    const taken = new Map<string, Loan>();
    for (const loan of this.#loans) if (loan.of === of && !taken.has(loan.name)) taken.set(loan.name, loan);
    for (const loan of taken.values()) this.#loans.splice(this.#loans.indexOf(loan), 1);
    return [...taken.values()];
  }

  async #drain(): Promise<void> {
    await this.#abandon();
    // Otherwise they would keep sockets listening on which nobody accepts.
    for (const { fd } of this.#loans.splice(0)) closeSync(fd);
    await this.#gateway.drain();
  }
}

type Awaitable<T> = T | Promise<T>;

type Deeds = { readonly [N in CallName]: (...parameters: Parameters<Calls[N]>) => Awaitable<ReturnType<Calls[N]>> };

/** Copies of so many sockets at a time make so many loans. */
function taken(copies: number, sockets: number): number {
  return sockets === 0 ? 0 : Math.floor(copies / sockets);
}

function loaded(text: StartOrder['text']) {
  const result = loadConfigText(text, process.env);
  const part = servable(result);
  if (part !== null) return part;
  throw new ConfigError(result.ok ? [] : result.diagnostics);
}

function askDesk(desk: Worker['desk'], { method, parameters }: DeskCall): Promise<unknown> {
  const deed = desk[method] as (...parameters: readonly unknown[]) => Promise<unknown>;
  return deed(...parameters);
}

/** Series that are told at once: what takes a few milliseconds, as exchanges wait meanwhile. */
const SERIES_AT_ONCE = 500;

async function tellInParts(id: number, families: readonly PlainFamily[]): Promise<void> {
  for (const family of families) {
    for (let from = 0; from < family.series.length; from += SERIES_AT_ONCE) {
      const series = family.series.slice(from, from + SERIES_AT_ONCE);
      tell({ kind: 'part', id, value: [{ ...family, series }] });
      await setImmediate();
    }
  }
  tell({ kind: 'answer', id, value: families.filter(({ series }) => series.length === 0) });
}

function tell(message: FromWorker): void {
  // EPIPE: the supervisor is gone, which is heard of anyway.
  if (process.connected) process.send?.(message, () => {});
}
