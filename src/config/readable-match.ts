import { MATCH_KEYS } from './schema/match.ts';
import type { Path } from './source-tree.ts';
import { closest } from './suggest.ts';

type Data = Record<string, unknown>;

/** Each entry is a condition of its own, and all must hold. */
const CONJUNCTIONS: ReadonlySet<unknown> = new Set(['headers', 'cookies', 'query', 'clientCertificate']);

/**
 * A match without the conditions that are `broken`, given by key paths within it: it holds for whatever the whole one would
 * hold for, and for more. `null` when nobody can tell whose requests they are: host or path is among the broken, or may be (a
 * key that is neither given nor near another one), or no condition is left.
 */
export function readableMatch(match: unknown, broken: readonly Path[]): Data | null {
  if (broken.length === 0) return (match ?? {}) as Data;
  if (!isData(match) || broken.some((path) => path.length === 0)) return null;
  const rest = new Rest(match);
  const distinct = new Map(broken.map((path) => [JSON.stringify(path.slice(0, 2)), path]));
  // From behind, so that places in lists stay what they are.
  for (const path of [...distinct.values()].sort(byLastStep)) if (!rest.remove(path)) return null;
  return rest.tells() ? rest.match : null;
}

class Rest {
  readonly match: Data;
  /** A condition that was nested had something about host or path in it. */
  #placeLost = false;

  constructor(match: Data) {
    this.match = structuredClone(match);
  }

  /** False when it was about host or path. */
  remove([key = '', step]: Path): boolean {
    const name = String(key);
    if (!MATCH_KEYS.includes(name)) return this.#removeUnknown(name);
    if (name === 'path') return false;
    const content = this.match[name];
    if (name === 'host') return Array.isArray(content) && typeof step === 'number' && withoutItem(content, step);
    if (CONJUNCTIONS.has(name) && isData(content) && step !== undefined) delete content[step];
    else if (name === 'all' && Array.isArray(content) && typeof step === 'number') this.#take(content, step);
    else this.#take(this.match, name);
    if (isEmpty(this.match[name])) delete this.match[name];
    return true;
  }

  /** Something is left to tell requests by, and host or path was not only in what is gone. */
  tells(): boolean {
    const { host, path } = this.match;
    if (host === undefined && path === undefined && this.#placeLost) return false;
    return Object.keys(this.match).length > 0;
  }

  #removeUnknown(name: string): boolean {
    const { host, path } = this.match;
    delete this.match[name];
    const open = MATCH_KEYS.filter((known) => this.match[known] === undefined);
    const meant = closest(name, open);
    if (meant === null) return host !== undefined && path !== undefined;
    return meant !== 'host' && meant !== 'path';
  }

  #take(from: Data | unknown[], key: string | number): void {
    const container = from as Data;
    this.#placeLost ||= hasPlace(container[key]);
    if (Array.isArray(from)) withoutItem(from, Number(key));
    else delete container[key];
  }
}

/** Removes one; false when none is left. */
function withoutItem(list: unknown[], index: number): boolean {
  list.splice(index, 1);
  return list.length > 0;
}

function isEmpty(content: unknown): boolean {
  return typeof content === 'object' && content !== null && Object.keys(content).length === 0;
}

/** Depth is bounded by the parser. */
function hasPlace(content: unknown): boolean {
  if (Array.isArray(content)) return content.some(hasPlace);
  if (!isData(content)) return false;
  return 'host' in content || 'path' in content || ['all', 'any', 'not'].some((key) => hasPlace(content[key]));
}

function byLastStep(a: Path, b: Path): number {
  return Number(b[1] ?? 0) - Number(a[1] ?? 0) || 0;
}

function isData(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
