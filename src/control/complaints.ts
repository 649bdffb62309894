import { type Complaint, type Diagnostic, diagnosticAt } from '../config/config-error.ts';
import type { Origins } from '../config/origins.ts';
import { secretsIn } from '../config/secret-values.ts';
import { nodeAt } from '../config/source-tree.ts';

/** A key path in the merged configuration: `['routes', 3, 'match', 'client', 0]`. */
export type KeyPath = readonly (string | number)[];

/** What the compiler finds wrong. */
export interface CompilerComplaint extends Complaint {
  /** A file that the configuration names can't be used: the configuration itself may be right. */
  readonly outside?: boolean;
  /** The file of the certificate that it is about: it takes nothing but its names out of service. */
  readonly certificate?: string;
}

export interface Complained {
  readonly path: KeyPath;
  readonly diagnostic: Diagnostic;
  readonly outside: boolean;
  readonly certificate: string | null;
}

/** Collects what the compiler finds wrong, each with its place in the files. */
export class Complaints {
  readonly #all: Complained[] = [];
  readonly #origins: Origins;

  constructor(origins: Origins) {
    this.#origins = origins;
  }

  get count(): number {
    return this.#all.length;
  }

  /** In the order in which they were made. */
  get all(): readonly Complained[] {
    return this.#all;
  }

  /** HG0106 unless the complaint says otherwise. Values that came from `${…}` are not shown. */
  add(path: KeyPath, complaint: CompilerComplaint): void {
    const message = this.#origins.withoutSecrets(path, complaint.message);
    const diagnostic = diagnosticAt(this.#origins.at(path), { code: 'HG0106', ...complaint, message });
    const { outside = false, certificate = null } = complaint;
    this.#all.push({ path, diagnostic, outside, certificate });
  }

  /** About a condition of a match, which may be written in two ways: `path: /a`, `path: { prefix: /a }`. */
  addToCondition(path: KeyPath, complaint: Complaint): void {
    this.add(this.#origins.innermost(path), complaint);
  }

  /** May a value at or below a key path be a secret: because `${…}` has filled it in, or by its name? */
  holdsSecrets(path: KeyPath): boolean {
    const node = nodeAt(this.#origins.root, path);
    return node !== null && (this.#origins.expansions(path).length > 0 || secretsIn(node, path.map(String)).length > 0);
  }

  /** `routes/shop.yaml:12` of a key path. */
  where(path: KeyPath): string {
    return this.#origins.where(path);
  }
}
