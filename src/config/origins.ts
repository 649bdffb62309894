import type { Place } from './config-error.ts';
import { keyPlaceAt, nodeAt, type Path, placeAt, type SourceNode } from './source-tree.ts';

/** Remembers where in the files every part of a merged configuration came from. */
export class Origins {
  readonly #root: SourceNode;

  constructor(root: SourceNode) {
    this.#root = root;
  }

  /**
   * Where `path` (`['routes', 3, 'match', 'client', 0]`) is written: a scalar's value, the key of a map or list,
   * the first key of a list item. Parts that no file has point at what is nearest around them.
   */
  at(path: Path): Place {
    return placeAt(this.#root, path);
  }

  /** The place of the key that `path` ends in, rather than of its value. */
  keyAt(path: Path): Place {
    return keyPlaceAt(this.#root, path);
  }

  /** `routes/shop.yaml:12`: the name of an unnamed route, and what `headgate routes` prints. */
  where(path: Path): string {
    const place = this.at(path);
    return `${place.file}:${place.line}`;
  }

  /**
   * The scalar at `path` as the file has it: `${TOKEN}`, not what is in it. Use it in messages, since values that
   * come from `${…}` may be secrets. `null` where no scalar is written.
   */
  textAt(path: Path): string | null {
    const node = nodeAt(this.#root, path);
    return node?.kind === 'scalar' ? node.text : null;
  }
}
