import { type Complaint, type Diagnostic, diagnosticAt } from '../config/config-error.ts';
import type { Origins } from '../config/origins.ts';

/** A key path in the merged configuration: `['routes', 3, 'match', 'client', 0]`. */
export type KeyPath = readonly (string | number)[];

/** Collects what the compiler finds wrong, each with its place in the files. */
export class Complaints {
  readonly diagnostics: Diagnostic[] = [];
  readonly #origins: Origins;

  constructor(origins: Origins) {
    this.#origins = origins;
  }

  /** HG0106 unless the complaint says otherwise. */
  add(path: KeyPath, complaint: Complaint): void {
    this.diagnostics.push(diagnosticAt(this.#origins.at(path), { code: 'HG0106', ...complaint }));
  }

  /** `routes/shop.yaml:12` of a key path. */
  where(path: KeyPath): string {
    return this.#origins.where(path);
  }
}
