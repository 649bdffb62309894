import type { Suite, SuiteCase } from './case.ts';
import { changedKinds, droppedCases, newerCases } from './newer-cases.ts';

/** Where the npm package keeps its cases. Not a literal: it has no types, and nothing else needs it. */
const PACKAGE: string = 'http-cache-tests/tests/index.mjs';

/**
 * The public suite as its repository has it: the cases of the npm package but for those about a browser's cache, corrected and
 * completed by `newer-cases.ts`. Rejects when the package is not installed.
 */
export async function suiteCases(): Promise<readonly SuiteCase[]> {
  const { default: suites } = (await import(PACKAGE)) as { readonly default: readonly Suite[] };
  const replaced = new Set(newerCases.map(({ id }) => id));
  const packaged = suites
    .flatMap(({ tests }) => tests)
    .filter(({ id, browser_only: browserOnly }) => browserOnly !== true && !replaced.has(id) && !droppedCases.has(id))
    .map((it) => ({ ...it, kind: changedKinds.get(it.id) ?? it.kind ?? 'required' }));
  return [...packaged, ...newerCases];
}
