import type { Diagnostic } from './config-error.ts';
import type { Path } from './source-tree.ts';

/** What can be taken out of a configuration while everything else serves. */
export type Part =
  | { readonly kind: 'route'; readonly index: number }
  | { readonly kind: 'pool'; readonly name: string };

/** A mistake and what it makes unusable: a key path, or `null` for what no part can be named for. */
export interface Fault {
  readonly at: Path | null;
  readonly diagnostic: Diagnostic;
}

/** The route or pool that a key path leads into, or `null`. */
export function partOf(path: Path): Part | null {
  const [section, key] = path;
  if (key === undefined) return null;
  if (section === 'routes') return { kind: 'route', index: Number(key) };
  return section === 'pools' ? { kind: 'pool', name: String(key) } : null;
}
