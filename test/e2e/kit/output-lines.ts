import type { Readable } from 'node:stream';
import { PATIENCE_MS, within } from './patience.ts';

interface Waiter {
  readonly test: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** What a process has written to one of its streams, line by line, and what it is going to. */
export class OutputLines {
  readonly lines: string[] = [];
  readonly #waiting = new Set<Waiter>();
  #rest = '';
  #ended = false;

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => this.#take(text));
    stream.on('end', () => this.#end());
  }

  get text(): string {
    return [...this.lines, this.#rest].join('\n');
  }

  /** The first line that passes `test`, among those that are there or those to come. Rejects when the stream ends first. */
  async line(test: RegExp | ((line: string) => boolean), patienceMs = PATIENCE_MS): Promise<string> {
    const passes = test instanceof RegExp ? (line: string) => test.test(line) : test;
    const known = this.lines.find(passes);
    if (known !== undefined) return known;
    if (this.#ended) throw this.#missing(String(test));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const waiter: Waiter = { test: passes, resolve, reject };
    this.#waiting.add(waiter);
    return within(promise, `a line like ${String(test)}`, patienceMs).finally(() => this.#waiting.delete(waiter));
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      this.lines.push(line);
      for (const waiter of this.#waiting) if (waiter.test(line)) waiter.resolve(line);
    }
  }

  #end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting) waiter.reject(this.#missing(String(waiter.test)));
  }

  #missing(wanted: string): Error {
    return new Error(`The output ended without a line like ${wanted}:\n${this.text.slice(-4000)}`);
  }
}
