import { type Complaint, diagnosticAt, noteAt, type Place } from './config-error.ts';
import { unknownKeyMessage } from './diagnose-keys.ts';
import type { Fault } from './part.ts';
import type { MapEntry, MapNode, Path, SourceNode } from './source-tree.ts';
import { closest } from './suggest.ts';

/** Sections whose entries come together from every file, and what one entry is called. */
const NAMED = new Map([
  ['listeners', 'listener'],
  ['pools', 'pool'],
  ['policies', 'group of policies'],
  ['stores', 'store'],
]);

export interface Merged {
  readonly root: MapNode;
  readonly faults: readonly Fault[];
}

/**
 * One configuration out of the files' roots: listeners and pools by name, routes in the order of the files, every
 * other section at most once. What stands twice is reported with both places, and the first one counts.
 */
export function mergeFiles(roots: readonly SourceNode[], emptyPlace: Place, sections: readonly string[]): Merged {
  const merge = new Merge(sections);
  for (const root of roots) {
    if (root.kind === 'map') merge.addFile(root);
    else merge.complain(root.place, { message: 'a file holds sections', suggestion: example() });
  }
  const place = roots[0]?.place ?? emptyPlace;
  return { root: { kind: 'map', entries: merge.entries(), place }, faults: merge.faults };
}

function example(): string {
  return 'listeners:, pools:, routes:, …';
}

class Merge {
  readonly faults: Fault[] = [];
  readonly #sections: readonly string[];
  readonly #single = new Map<string, MapEntry>();
  readonly #named = new Map<string, { key: Place; entries: Map<string, MapEntry> }>();
  readonly #routes: SourceNode[] = [];
  #routesKey: Place | null = null;

  constructor(sections: readonly string[]) {
    this.#sections = sections;
  }

  addFile(root: MapNode): void {
    for (const [key, entry] of root.entries) {
      const section = this.#sectionOf(key, entry, root);
      if (section === null) continue;
      if (entry.value.kind === 'scalar' && entry.value.value === null) {
        // `pools:` with nothing below: a section that is still to be filled.
      } else if (section === 'routes') {
        this.#addRoutes(entry);
      } else if (NAMED.has(section)) {
        this.#addNamed(section, entry);
      } else {
        this.#addSingle(section, entry);
      }
    }
  }

  /** A misspelt section is taken for what it was meant to be, so that nothing else seems to be missing. */
  #sectionOf(key: string, entry: MapEntry, file: MapNode): string | null {
    if (this.#sections.includes(key)) return key;
    const open = this.#sections.filter((section) => !file.entries.has(section));
    this.complain(entry.key, unknownKeyMessage(key, open));
    return closest(key, open);
  }

  complain(place: Place, complaint: Complaint, at: Path | null = null): void {
    this.faults.push({ at, diagnostic: diagnosticAt(place, complaint) });
  }

  entries(): Map<string, MapEntry> {
    const entries = new Map(this.#single);
    for (const [section, { key, entries: named }] of this.#named) {
      const place = named.values().next().value?.key ?? key;
      entries.set(section, { key, value: { kind: 'map', entries: named, place } });
    }
    if (this.#routesKey !== null) {
      const place = this.#routes[0]?.place ?? this.#routesKey;
      entries.set('routes', { key: this.#routesKey, value: { kind: 'list', items: this.#routes, place } });
    }
    return entries;
  }

  #addRoutes(entry: MapEntry): void {
    if (entry.value.kind === 'list') {
      this.#routesKey ??= entry.key;
      this.#routes.push(...entry.value.items);
      return;
    }
    const suggestion = 'begin each route with “- ”';
    this.complain(entry.key, { message: '“routes” must be a list', suggestion });
  }

  #addNamed(section: string, entry: MapEntry): void {
    if (entry.value.kind !== 'map') {
      const suggestion = `give each ${NAMED.get(section)} a name: “name:”, and its keys below`;
      this.complain(entry.key, { message: `“${section}” must be a map`, suggestion });
      return;
    }
    const known = this.#named.get(section) ?? { key: entry.key, entries: new Map<string, MapEntry>() };
    this.#named.set(section, known);
    for (const [name, value] of entry.value.entries) {
      const first = known.entries.get(name);
      if (first === undefined) known.entries.set(name, value);
      else this.#twice(`${NAMED.get(section)} “${name}”`, [first.key, value.key], [section, name]);
    }
  }

  #addSingle(section: string, entry: MapEntry): void {
    const first = this.#single.get(section);
    if (first === undefined) this.#single.set(section, entry);
    else this.#twice(`section “${section}”`, [first.key, entry.key], null);
  }

  #twice(what: string, [first, second]: readonly [Place, Place], at: Path | null): void {
    const notes = [noteAt(first, 'first here')];
    this.complain(second, { code: 'HG0104', message: `${what} is defined twice`, notes }, at);
  }
}
