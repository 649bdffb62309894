import { type Complaint, type Diagnostic, diagnosticAt } from '../config/config-error.ts';
import type { Origins } from '../config/origins.ts';

/** A key path in the merged configuration: `['routes', 3, 'match', 'client', 0]`. */
export type KeyPath = readonly (string | number)[];

/** Collects what the compiler finds wrong, each with its place in the files. */
export class Complaints {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #origins: Origins;

  constructor(origins: Origins) {
    this.#origins = origins;
  }

  get count(): number {
    return this.#diagnostics.length;
  }

  /** All of them, and those of `others`, in source order. */
  inOrder(others: Complaints | null = null): readonly Diagnostic[] {
    return [...this.#diagnostics, ...(others === null ? [] : others.#diagnostics)].sort(
      (a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line || a.column - b.column,
    );
  }

  /** HG0106 unless the complaint says otherwise. Values that came from `${…}` are not shown. */
  add(path: KeyPath, complaint: Complaint): void {
    const message = this.#origins.withoutSecrets(path, complaint.message);
    this.#diagnostics.push(diagnosticAt(this.#origins.at(path), { code: 'HG0106', ...complaint, message }));
  }

  /** About a condition of a match, which may be written in two ways: `path: /a`, `path: { prefix: /a }`. */
  addToCondition(path: KeyPath, complaint: Complaint): void {
    this.add(this.#origins.innermost(path), complaint);
  }

  /** `routes/shop.yaml:12` of a key path. */
  where(path: KeyPath): string {
    return this.#origins.where(path);
  }
}
