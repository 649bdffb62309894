import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock, TimerHandle } from '../../clock.ts';
import type { PolicyObserver, PolicyState } from '../../policy/policy-state.ts';

/** As often as the content of other files is looked at. */
const LOOK_MS = 2_000;

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
  #timer: TimerHandle | null = null;
  #closed = false;
  #broken: string | null = null;

  /** Looks for it. Throws what the system says if it can't be told. */
  constructor(options: PresentFileOptions) {
    this.id = options.id;
    this.#options = options;
    this.#present = statSync(options.path, { throwIfNoEntry: false }) !== undefined;
  }

  get present(): boolean {
    return this.#present;
  }

  open(): void {
    this.#wait();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer);
  }

  status(): Readonly<Record<string, string | boolean | null>> {
    return { file: this.#options.path, present: this.#present, broken: this.#broken };
  }

  #wait(): void {
    if (!this.#closed) this.#timer = this.#options.clock.after(LOOK_MS, () => void this.look());
  }

  /** Looks now; resolves when what it sees is in force. Never rejects. */
  async look(): Promise<void> {
    const { path, clock } = this.#options;
    if (this.#timer !== null) clock.cancel(this.#timer);
    try {
      this.#see(await isPresent(path));
    } catch (error) {
      this.#tellBroken((error as Error).message);
    }
    this.#wait();
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
