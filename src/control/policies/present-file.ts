import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import type { PolicyObserver, PolicyState } from '../../policy/policy-state.ts';
import { Lookout } from './lookout.ts';

export interface PresentFileOptions {
  readonly id: string;
  /** Key and owner of the policy that names it, for events. */
  readonly policy: string;
  readonly owner: string;
  readonly path: string;
  readonly clock: Clock;
  readonly observer: PolicyObserver;
}

/** A file that says something by being there. Looked at every two seconds while it is used; what can't be seen is as it was. */
export class PresentFile implements PolicyState {
  readonly id: string;
  readonly #options: PresentFileOptions;
  #present: boolean;
  readonly #lookout: Lookout;
  #broken: string | null = null;

  /** Looks for it. Throws what the system says if it can't be told. */
  constructor(options: PresentFileOptions) {
    this.id = options.id;
    this.#options = options;
    this.#lookout = new Lookout(options.clock, () => this.#look());
    this.#present = statSync(options.path, { throwIfNoEntry: false }) !== undefined;
  }

  get present(): boolean {
    return this.#present;
  }

  open(): void {
    this.#lookout.start();
  }

  close(): void {
    this.#lookout.stop();
  }

  served(): void {
    void this.#lookout.now();
  }

  status(): Readonly<Record<string, string | boolean | null>> {
    return { file: this.#options.path, present: this.#present, broken: this.#broken };
  }

  async #look(): Promise<void> {
    const { path } = this.#options;
    try {
      this.#see(await isPresent(path));
    } catch (error) {
      this.#tellBroken((error as Error).message);
    }
  }

  #see(present: boolean): void {
    this.#broken = null;
    if (present === this.#present) return;
    this.#present = present;
    if (present) this.#tell('file-there', 'warn', 'it is there: out of service');
    else this.#tell('file-gone', 'info', 'it is gone: in service');
  }

  #tellBroken(message: string): void {
    if (this.#broken === message) return;
    this.#broken = message;
    this.#tell('file-broken', 'warn', `${message}; nothing has changed`);
  }

  #tell(event: string, level: 'info' | 'warn', detail: string): void {
    const { policy, owner, path, observer } = this.#options;
    observer({ policy, owner, event, level, detail: `${path}: ${detail}` });
  }
}

async function isPresent(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
