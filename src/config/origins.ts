import type { Place } from './config-error.ts';
import { nodeAt, type Path, placeAt, type ScalarNode, type SourceNode } from './source-tree.ts';

/** Remembers where in the files every part of a merged configuration came from. */
export class Origins {
  readonly #root: SourceNode;

  constructor(root: SourceNode) {
    this.#root = root;
  }

  /** All files together, as they are written. */
  get root(): SourceNode {
    return this.#root;
  }

  /**
   * Where `path` (`['routes', 3, 'match', 'client', 0]`) is written: a scalar's value, the key of a map or list,
   * the first key of a list item. Parts that no file has point at what is nearest around them.
   */
  at(path: Path): Place {
    return placeAt(this.#root, path);
  }

  /** `routes/shop.yaml:12`: the name of an unnamed route, and what `headgate routes` prints. */
  where(path: Path): string {
    const place = this.at(path);
    return `${place.file}:${place.line}`;
  }

  /** The same, or `null` for what no file has: a default, or something of the command line. */
  whereGiven(path: Path): string | null {
    return nodeAt(this.#root, path) === null || this.at(path).file.startsWith('<') ? null : this.where(path);
  }

  /** `path`, or what the only key of a map there leads to: in `path: { regex: '(' }`, the regex. */
  innermost(path: Path): Path {
    const node = nodeAt(this.#root, path);
    const [only, ...others] = node?.kind === 'map' ? node.entries.keys() : [];
    return only === undefined || others.length > 0 ? path : this.innermost([...path, only]);
  }

  /**
   * `message`, which is about `path`, with `${TOKEN}` in place of what came from it: that may be a secret. A message that
   * shows a part of it gives way to one that says nothing.
   */
  withoutSecrets(path: Path, message: string): string {
    // One value may stand for a list of one.
    const node = nodeAt(this.#root, path) ?? nodeAt(this.#root, path.slice(0, -1));
    return node === null ? message : expansionsIn(node).reduce(conceal, message);
  }

  /** What `${…}` stands for in the values at and below `path`, each with how it is written. */
  expansions(path: Path): readonly { readonly value: string; readonly written: string }[] {
    const node = nodeAt(this.#root, path);
    return node === null ? [] : expansionsIn(node).flatMap(filledIn);
  }
}

/** The text between expressions is the same before and after; what is between that came from them. */
function filledIn({ value, text }: ScalarNode): { readonly value: string; readonly written: string }[] {
  const expressions = text.match(EXPRESSION) ?? [];
  const around = text.split(EXPRESSION).map((part) => part.replaceAll('$$', () => '$'));
  const pattern = around.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('([\\s\\S]*?)');
  const found = new RegExp(`^${pattern}$`).exec(String(value));
  // A quoted text may be written with escapes.
  if (found === null) return [{ value: String(value), written: text }];
  return expressions.map((written, i) => ({ value: found[i + 1] ?? '', written }));
}

const EXPRESSION = /\$\{[^}]*\}/g;

function expansionsIn(node: SourceNode): ScalarNode[] {
  if (node.kind === 'scalar') return node.from === 'expansion' ? [node] : [];
  const parts = node.kind === 'list' ? node.items : [...node.entries.values()].map(({ value }) => value);
  return parts.flatMap(expansionsIn);
}

/** A single character tells nothing, and may be quoted for another reason. */
const QUOTED = /["“`{]([^"”`}]{2,})["”`}]/g;

function conceal(message: string, { value, text }: ScalarNode): string {
  const secret = String(value);
  if (secret === '') return message;
  const shown = message.replaceAll(secret, () => text);
  const showsPart = [...shown.matchAll(QUOTED)].some(([, part]) => part !== undefined && secret.includes(part));
  return showsPart ? `what “${text}” stands for can’t be used here` : shown;
}
