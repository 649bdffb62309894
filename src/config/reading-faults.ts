import type { Diagnostic, Place } from './config-error.ts';
import type { Fault } from './part.ts';
import type { MapNode, Path, SourceNode } from './source-tree.ts';

/**
 * What reading the files has found wrong, and what it makes unusable: values that have none (`${…}`, aliases), keys that stand
 * twice. What several parts share is a fault of each.
 */
export function faultsOfReading(root: MapNode, diagnostics: readonly Diagnostic[]): Fault[] {
  if (diagnostics.length === 0) return [];
  const paths = new Map<string, Path[]>();
  collect(root, [], paths);
  return diagnostics.flatMap((diagnostic): Fault[] => {
    const found = paths.get(keyOf(diagnostic)) ?? [null];
    return found.map((at) => ({ at, diagnostic }));
  });
}

function collect(node: SourceNode, path: Path, into: Map<string, Path[]>): void {
  if (node.kind === 'scalar') {
    if (node.from === 'error') note(node.place, path, into);
  } else if (node.kind === 'list') {
    for (const [index, item] of node.items.entries()) collect(item, [...path, index], into);
  } else {
    // Whatever it was meant to be: a key that nobody knows.
    for (const place of node.lost ?? []) note(place, [...path, '<<'], into);
    for (const [key, { value, twice }] of node.entries) {
      if (twice !== undefined) note(twice, [...path, key], into);
      collect(value, [...path, key], into);
    }
  }
}

function note(place: Place, path: Path, into: Map<string, Path[]>): void {
  const known = into.get(keyOf(place)) ?? [];
  into.set(keyOf(place), known);
  known.push(path);
}

function keyOf({ file, line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
