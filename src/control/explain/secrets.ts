import type { Origins } from '../../config/origins.ts';
import { SECRET, secretsIn } from '../../config/secret-values.ts';
import { nodeAt } from '../../config/source-tree.ts';
import type { KeyPath } from '../complaints.ts';

/** `text`, which the part of the configuration at `path` has a say in, without what came from `${…}` there. */
export type Concealer = (path: KeyPath, text: string) => string;

/** Shorter ones tell nothing, and would be found everywhere. */
const SHORTEST = 3;

/**
 * Values that were filled in may be secrets, wherever in a rendered text they are: `${TOKEN}` is shown in their place, also of their
 * percent-encoded form. Remembers what it has looked up, so it is for one answer.
 */
export function concealer(origins: Origins): Concealer {
  const known = new Map<string, readonly Hidden[]>();
  return (path, text) => {
    const key = path.join('\0');
    const found = known.get(key) ?? [...origins.expansions(path), ...literals(origins, path)];
    known.set(key, found);
    let shown = text;
    for (const { value, written } of found) {
      if (value.length < SHORTEST) continue;
      for (const form of formsOf(value)) {
        shown = shown.replaceAll(form, () => written);
      }
    }
    return shown;
  };
}

/** A value, and what is shown in its place. */
interface Hidden {
  readonly value: string;
  readonly written: string;
}

/** What stands in the files themselves where only a secret would. */
function literals(origins: Origins, path: KeyPath): readonly Hidden[] {
  const node = nodeAt(origins.root, path);
  const secrets = node === null ? [] : secretsIn(node, path.map(String));
  return secrets.map((value) => ({ value, written: SECRET }));
}

/** As it is, as octets, and in the two ways in which paths and queries are escaped. */
function formsOf(value: string): ReadonlySet<string> {
  const text = value.toWellFormed();
  const octets = Buffer.from(text, 'utf8').toString('latin1');
  return new Set([value, octets, encodeURIComponent(text), encodeURI(text)]);
}
