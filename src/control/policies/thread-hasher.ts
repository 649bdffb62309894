import { Worker } from 'node:worker_threads';
import type { PasswordHasher } from '../../policy/auth/passwords.ts';
import type { PasswordQuestion } from './password-thread.ts';

/** Computes on a thread of its own, which is started when it is needed first, and again after it has died or was given up. */
export class ThreadHasher implements PasswordHasher {
  readonly #file: URL;
  #worker: Worker | null = null;
  #done: ((matches: boolean | null) => void) | null = null;

  constructor(file = threadFile()) {
    this.#file = file;
  }

  check(hash: string, password: string, done: (matches: boolean | null) => void): void {
    this.#done = done;
    const question: PasswordQuestion = { hash, password };
    this.#worker ??= this.#start();
    this.#worker.postMessage(question);
  }

  abort(): void {
    this.#done = null;
    const worker = this.#worker;
    this.#worker = null;
    // Rejects never; what the thread computes in native code it finishes first.
    if (worker !== null) void worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#file);
    const lost = (): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#answer(null);
    };
    worker.on('error', lost);
    worker.on('exit', lost);
    worker.on('message', (matches: boolean | null) => {
      if (this.#worker === worker) this.#answer(matches);
    });
    worker.unref();
    return worker;
  }

  #answer(matches: boolean | null): void {
    const done = this.#done;
    this.#done = null;
    done?.(matches);
  }
}

/** This module's neighbour, as TypeScript in a checkout and as JavaScript in the package. */
function threadFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './password-thread.ts' : './password-thread.js', import.meta.url);
}
