import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Metrics } from './metrics.ts';

/** Parts that are looked at in one go: about a millisecond. */
const SLICE = 200;

/** 48 bits: enough to tell configurations apart, and too few to find out anything that is in one. */
const DIGITS = 12;

/** Tells configurations apart. Worked out when somebody reads the metrics and it has changed since, in slices. */
export class ConfigDigest {
  #config: object | null = null;
  /** Of which object, and what it is. */
  #known: { readonly config: object | null; readonly digest: string } = { config: null, digest: '' };

  constructor(metrics: Metrics) {
    metrics.before(() => this.#workOut());
    metrics.gauge('headgate_config_info', {
      help: '1, with a digest of the configuration that serves: equal for those that mean the same in the same order',
      labels: ['digest'],
      read: (set) => {
        if (this.#known.digest !== '') set({ digest: this.#known.digest }, 1);
      },
    });
  }

  /** This one serves from now on. Plain data, never changed. */
  adopt(config: object): void {
    this.#config = config;
  }

  async #workOut(): Promise<void> {
    const config = this.#config;
    if (config === this.#known.config || config === null) return;
    const hash = createHash('sha256');
    let count = 0;
    for (const [section, parts] of Object.entries(config)) {
      // Routes and pools are many.
      const many: readonly (readonly [string, unknown])[] =
        typeof parts === 'object' && parts !== null ? Object.entries(parts) : [['', parts]];
      for (const [name, part] of many) {
        hash.update(JSON.stringify([section, name, part]));
        count += 1;
        if (count % SLICE === 0) await nextTurn();
      }
    }
    this.#known = { config, digest: hash.digest('hex').slice(0, DIGITS) };
  }
}
