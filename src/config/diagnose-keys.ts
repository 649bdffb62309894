import type { $ZodType } from 'zod/v4/core';
import type { Complaint } from './config-error.ts';
import { childSchema, keysOf, optionsOf, shapeOf } from './schema-shape.ts';
import type { Path } from './source-tree.ts';
import { closest, didYouMean } from './suggest.ts';

/** An unknown key, what to say about it, and which path the key would have if it were put right. */
export interface UnknownKey {
  readonly complaint: Complaint;
  readonly meant: Path | null;
}

/** Where an unknown key stands. */
export interface KeySite {
  readonly root: $ZodType;
  /** Path of the map. */
  readonly path: Path;
  readonly schema: $ZodType;
  /** Keys that may still be given here. */
  readonly candidates: readonly string[];
}

/**
 * Explains an unknown key: a slip of the pen, a key of a section below (`path` beside `match`), of one above (`pool`
 * inside `match`: wrong indentation), or none of them.
 */
export function explainUnknownKey(key: string, site: KeySite): UnknownKey {
  const slip = closest(key, site.candidates, 1);
  const inside = containerOf(key, site.schema);
  // `path` of a route is the condition, which is often written so, and no slip for `paths`.
  if (slip !== null && inside !== 'match') return renamed(key, slip, site);
  if (inside !== null) {
    const complaint = { message: `unknown key “${key}”`, suggestion: `it belongs inside “${inside}”` };
    return { complaint, meant: [...site.path, inside, key] };
  }
  const above = enclosing(key, site);
  if (above !== null) return above;
  const near = closest(key, site.candidates);
  if (near !== null) return renamed(key, near, site);
  return { complaint: unknownKeyMessage(key, site.candidates), meant: null };
}

/** What to say about an unknown key of a map with these keys. */
export function unknownKeyMessage(key: string, candidates: readonly string[]): Complaint {
  const near = closest(key, candidates);
  const message = `unknown key “${key}”`;
  if (near !== null) return { message, suggestion: didYouMean(near) };
  if (candidates.length === 0) return { message, suggestion: 'no other key is known here' };
  return { message, suggestion: `known here: ${candidates.join(', ')}` };
}

function renamed(key: string, to: string, site: KeySite): UnknownKey {
  return {
    complaint: { message: `unknown key “${key}”`, suggestion: didYouMean(to) },
    meant: [...site.path, to],
  };
}

function containerOf(key: string, schema: $ZodType): string | null {
  for (const [name, child] of Object.entries(shapeOf(schema) ?? {})) {
    if (optionsOf(child).some((option) => keysOf(option).includes(key))) return name;
  }
  return null;
}

/** The nearest map around this one that has the key: `pool` below `match` was meant to stand beside it. */
function enclosing(key: string, site: KeySite): UnknownKey | null {
  for (let length = site.path.length - 1; length > 0; length -= 1) {
    const path = site.path.slice(0, length);
    const schema = schemaAt(site.root, path);
    if (schema === null || !keysOf(schema).includes(key)) continue;
    const neighbour = String(site.path[length]);
    const complaint = { message: `unknown key “${key}”`, suggestion: `it belongs beside “${neighbour}”, further left` };
    return { complaint, meant: [...path, key] };
  }
  return null;
}

/** The schema of what stands at `path`. */
export function schemaAt(root: $ZodType, path: Path): $ZodType | null {
  let schema: $ZodType | null = root;
  for (const step of path) {
    if (schema === null) return null;
    schema = childSchema(schema, step);
  }
  return schema;
}
