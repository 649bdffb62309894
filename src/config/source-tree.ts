import type { Place } from './config-error.ts';

/** A scalar, a map or a list as it stands in a file: its value, and where every part of it is. */
export type SourceNode = ScalarNode | MapNode | ListNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly place: Place;
  /** What the file says, without quotes. Safe to print, unlike `value`, which `${…}` may have filled. */
  readonly text: string;
  readonly quoted: boolean;
  /**
   * `expansion`: the value came from `${…}` and may be a secret. `error`: there is no value, and a diagnostic has
   * said so already.
   */
  readonly from: 'file' | 'expansion' | 'error';
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly place: Place;
  /** What stands where a key should, and is none. */
  readonly lost?: readonly Place[];
}

export interface MapEntry {
  readonly key: Place;
  /** The same key once more, further below: nobody knows which of the two counts. */
  readonly twice?: Place;
  readonly value: SourceNode;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly SourceNode[];
  readonly place: Place;
}

export type Path = readonly (string | number)[];

/** The plain data of a node, for the schemas. */
export function toPlain(node: SourceNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  const plain: Record<string, unknown> = {};
  for (const [key, entry] of node.entries) plain[key] = toPlain(entry.value);
  return plain;
}

/** The node at `path`, or `null` when the files do not have it. */
export function nodeAt(root: SourceNode, path: Path): SourceNode | null {
  let node: SourceNode | null = root;
  for (const step of path) {
    node = childOf(node, step);
    if (node === null) return null;
  }
  return node;
}

/**
 * The best place to point at for `path`: a scalar's value, the key of a map or list, an item's first key. What
 * the files do not have (a default, the list that one value stands for) has the place of what is nearest around it.
 */
export function placeAt(root: SourceNode, path: Path): Place {
  let node = root;
  let place = root.place;
  for (const step of path) {
    const child = childOf(node, step);
    if (child === null) return place;
    if (child === node) continue;
    const key = node.kind === 'map' ? node.entries.get(String(step))?.key : undefined;
    place = child.kind === 'scalar' ? scalarPlace(child, key) : (key ?? child.place);
    node = child;
  }
  return place;
}

/** The place of the last key of `path`; like `placeAt` where there is none. */
export function keyPlaceAt(root: SourceNode, path: Path): Place {
  const parent = nodeAt(root, path.slice(0, -1));
  const key = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1)))?.key : undefined;
  return key ?? placeAt(root, path);
}

/** One value may stand for a list of one: then it is its own first item. */
function childOf(node: SourceNode, step: string | number): SourceNode | null {
  if (node.kind === 'list') return node.items[Number(step)] ?? null;
  const child = node.kind === 'map' ? node.entries.get(String(step))?.value : undefined;
  return child ?? (step === 0 ? node : null);
}

/** `key:` without a value has nothing of its own to point at. */
function scalarPlace(node: ScalarNode, key: Place | undefined): Place {
  return node.text === '' && !node.quoted && key !== undefined ? key : node.place;
}
