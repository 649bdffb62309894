import type { Logger } from '../observe/log.ts';
import type { UpstreamEvent, UpstreamObserver } from '../upstream/events.ts';

/** A log line for everything that happens to pools and endpoints. */
export class UpstreamLog implements UpstreamObserver {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  event(event: UpstreamEvent): void {
    const { endpoint, up, outcome } = event;
    if (up) this.#log.info({ endpoint, reason: outcome.reason }, 'Endpoint is up');
    else this.#log.warn({ endpoint, reason: outcome.reason }, 'Endpoint is down');
  }
}
