import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProbeNews } from '../upstream/health/probe-state.ts';
import type { CallName, FromWorker, Question, Ready, Reply, Standing, StartOrder, ToWorker } from './protocol.ts';
import { errorOf } from './refusal.ts';

/** How a process has ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker that is gone, or does not answer, is one that something can't be had from. The message is for a person. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** File descriptors of a worker that come before its sockets: the standard ones, and the channel. */
const FIRST_SOCKET = 4;

/** A configuration of thousands of routes compiles within a few seconds, on a machine that has nothing left. */
const START_MS = 120_000;
/** Answers come at once, unless who asks knows better. */
const ANSWER_MS = 5_000;

const ENTRY = fileURLToPath(
  new URL(`./worker-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** What has come of an answer in parts. */
  readonly parts: unknown[];
}

export interface WorkerPlan {
  /** File descriptors of this process. In the worker they have the numbers that `fdInWorker` says. */
  readonly fds: readonly number[];
  readonly order: StartOrder;
  readonly news: (news: ProbeNews) => void;
}

/** What the `index`th of a plan's file descriptors is in the worker. */
export function fdInWorker(index: number): number {
  return FIRST_SOCKET + index;
}

/** A worker, seen from outside. It runs the code that is on the disk when it is started. */
export class WorkerProcess {
  readonly number: number;
  readonly pid: number;
  /** Settles when everything is loaded, and it waits for `open`. Rejects as `ready` does. */
  readonly prepared: Promise<void>;
  /** Settles when its listeners are open. Rejects as `startGateway` does, or because it has ended before. */
  readonly ready: Promise<Ready>;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #news: (news: ProbeNews) => void;
  /** Bounded by who asks: each waits for its answer. */
  readonly #pending = new Map<number, Pending>();
  readonly #loaded = Promise.withResolvers<void>();
  readonly #started = Promise.withResolvers<Ready>();
  #lastId = 0;
  #gone = false;
  #opened = false;
  #serves = false;
  #silent = false;

  constructor({ fds, order, news }: WorkerPlan) {
    this.number = order.number;
    this.#news = news;
    const { NOTIFY_SOCKET: _socket, WATCHDOG_USEC: _usec, ...env } = process.env;
    this.#child = spawn(process.execPath, [...process.execArgv, ENTRY], {
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...fds],
    });
    this.pid = this.#child.pid ?? 0;
    this.prepared = this.#loaded.promise;
    this.ready = this.#started.promise;
    // Who is not waiting for it hears of the end.
    this.prepared.catch(() => {});
    this.ready.catch(() => {});
    const { promise, resolve } = Promise.withResolvers<Ending>();
    this.ended = promise;
    this.#child.on('message', (message) => this.#take(message as FromWorker));
    this.#child.on('error', (error) => this.#end({ code: null, signal: null }, resolve, error.message));
    this.#child.on('exit', (code, signal) => this.#end({ code, signal }, resolve, null));
    const late = setTimeout(() => this.kill(), START_MS);
    void this.ready.then(
      () => clearTimeout(late),
      () => clearTimeout(late),
    );
    this.#send({ kind: 'start', order });
  }

  /** It has been told to open its listeners. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Its listeners are open. */
  get serves(): boolean {
    return this.#serves && !this.#gone;
  }

  /** It has left a question open, and has said nothing since. */
  get silent(): boolean {
    return this.#silent;
  }

  get alive(): boolean {
    return !this.#gone;
  }

  /** Rejects with `NoAnswer` when none comes within `patienceMs`, or the worker ends; with another error for a bug that it met. */
  ask<N extends CallName>(name: N, parameters: Question<N>, patienceMs = ANSWER_MS): Promise<Reply<N>> {
    if (this.#gone) return Promise.reject(new NoAnswer(`Worker ${this.number} has ended`));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#lastId += 1;
    const id = this.#lastId;
    const timer = setTimeout(() => {
      this.#pending.delete(id);
      this.#silent = true;
      reject(new NoAnswer(`Worker ${this.number} does not answer within ${patienceMs} ms`));
    }, patienceMs);
    this.#pending.set(id, { resolve, reject, timer, parts: [] });
    this.#send({ kind: 'ask', id, name, parameters });
    return promise as Promise<Reply<N>>;
  }

  /** After `prepared`. What it is asked from now on it answers once its listeners are open. */
  open(standing: Standing): void {
    this.#opened = true;
    this.#send({ kind: 'open', ...standing });
  }

  tell(news: ProbeNews): void {
    this.#send({ kind: 'news', news });
  }

  /** At once, whatever it does. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ToWorker): void {
    if (this.#gone || !this.#child.connected) return;
    // EPIPE: it has just ended, which is heard of anyway.
    this.#child.send(message, () => {});
  }

  #take(message: FromWorker): void {
    this.#silent = false;
    switch (message.kind) {
      case 'prepared':
        this.#loaded.resolve();
        return;
      case 'ready':
        this.#serves = true;
        this.#started.resolve(message);
        return;
      case 'refused':
        this.#refuse(errorOf(message.refusal));
        return;
      case 'answer':
        this.#answered(message);
        return;
      case 'part':
        this.#pending.get(message.id)?.parts.push(...message.value);
        return;
      case 'failed':
        this.#settle(message.id)?.reject(new Error(message.message));
        return;
      case 'news':
        this.#news(message.news);
    }
  }

  #answered({ id, value }: FromWorker & { kind: 'answer' }): void {
    const pending = this.#settle(id);
    if (pending === undefined) return;
    pending.resolve(pending.parts.length > 0 && Array.isArray(value) ? [...pending.parts, ...value] : value);
  }

  #refuse(error: Error): void {
    this.#loaded.reject(error);
    this.#started.reject(error);
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending !== undefined) clearTimeout(pending.timer);
    this.#pending.delete(id);
    return pending;
  }

  #end(ending: Ending, resolve: (ending: Ending) => void, reason: string | null): void {
    if (this.#gone) return;
    this.#gone = true;
    const how = reason ?? (ending.signal === null ? `with code ${ending.code}` : `by ${ending.signal}`);
    this.#refuse(new NoAnswer(`Worker ${this.number} has ended ${how} before it was ready`));
    for (const id of [...this.#pending.keys()]) {
      this.#settle(id)?.reject(new NoAnswer(`Worker ${this.number} has ended ${how}`));
    }
    resolve(ending);
  }
}
