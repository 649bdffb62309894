import type { Clock, TimerHandle } from '../../clock.ts';
import type { HttpStream } from '../http-stream.ts';

export interface DockerEventsParts {
  /** Of `GET /events`, filters included. */
  readonly url: string;
  readonly socketPath: string | null;
  readonly stream: HttpStream;
  readonly clock: Clock;
  readonly random: () => number;
  /** Something happened, or may have while nobody was listening. */
  readonly stirred: () => void;
}

const CONNECT_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
/** What happens to one container comes as several events. */
const DEBOUNCE_MS = 100;

/**
 * Listens to the events of a Docker engine for as long as it is begun, connecting again with back-off. That one has come is all
 * that matters: what it says is asked for.
 */
export class DockerEvents {
  readonly #parts: DockerEventsParts;
  #stream: { cancel(): void } | null = null;
  #timer: TimerHandle | null = null;
  #soon: TimerHandle | null = null;
  #failures = 0;
  #listening = false;

  constructor(parts: DockerEventsParts) {
    this.#parts = parts;
  }

  /** Will a change be heard of? */
  get listening(): boolean {
    return this.#listening;
  }

  begin(): void {
    this.#timer = null;
    const { url, socketPath, stream } = this.#parts;
    const request = { url, socketPath, timeoutMs: CONNECT_MS };
    let over = false;
    const sent = stream(request, {
      opened: (status) => this.#opened(status),
      data: () => {
        if (this.#listening) this.#stir();
      },
      ended: () => {
        over = true;
        this.#lost();
      },
    });
    // It may have failed within the call.
    if (!over) this.#stream = sent;
  }

  end(): void {
    this.#stream?.cancel();
    this.#stream = null;
    this.#listening = false;
    this.#failures = 0;
    for (const timer of [this.#timer, this.#soon]) if (timer !== null) this.#parts.clock.cancel(timer);
    this.#timer = null;
    this.#soon = null;
  }

  #opened(status: number): void {
    // A proxy that does not let this through, say: then looking regularly has to do.
    if (status !== 200) return;
    this.#listening = true;
    this.#failures = 0;
    this.#stir();
  }

  #lost(): void {
    this.#stream = null;
    this.#listening = false;
    this.#failures += 1;
    const doubled = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10));
    this.#timer = this.#parts.clock.after(doubled * (0.5 + 0.5 * this.#parts.random()), () => this.begin());
  }

  #stir(): void {
    this.#soon ??= this.#parts.clock.after(DEBOUNCE_MS, () => {
      this.#soon = null;
      this.#parts.stirred();
    });
  }
}
