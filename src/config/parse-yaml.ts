import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { type Diagnostic, diagnosticAt, noteAt, type Place } from './config-error.ts';
import { type ExpansionSources, expand } from './expand.ts';
import type { MapEntry, MapNode, ScalarNode, SourceNode } from './source-tree.ts';
import { describeYamlError } from './yaml-errors.ts';

/** Nodes that the aliases of one file may stand for, so that a few lines can't grow into gigabytes. */
const ALIASED_NODES = 10_000;
const DEPTH = 64; // as yaml-errors.ts has it
const TOO_DEEP = { code: 'HG0101', message: `nested more than ${DEPTH} levels deep` } as const;

export interface ParsedFile {
  /** `null` when the file is empty. */
  readonly root: SourceNode | null;
  /** The YAML itself is broken: `root` may lack parts of what the user meant. */
  readonly broken: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses one YAML 1.2 file (`file` is how diagnostics call it), resolves aliases and merge keys, and expands `${…}`
 * in values unless `sources` is `null`. Reports every mistake with its place; never throws.
 */
export function parseYaml(file: string, text: string, sources: ExpansionSources | null): ParsedFile {
  const lines = new LineCounter();
  // Duplicate keys are found below, where both places are known.
  const options = { lineCounter: lines, prettyErrors: false, uniqueKeys: false, merge: true, strict: true } as const;
  const document = parseDocument(text, options);
  const reader = new Reader(file, { text, lines, document, sources });
  const problems = [...document.errors, ...document.warnings];
  for (const problem of problems) {
    // After a slip the parser stumbles over what follows, until it finds its way: only the slip means anything.
    if (problem !== problems[0] && problem.code === 'UNEXPECTED_TOKEN') continue;
    reader.report(problem.pos, { code: 'HG0101', ...describeYamlError(problem, text) });
  }
  if (problems.length > 0) {
    const lines = new Set<number>();
    const diagnostics = reader.diagnostics.filter(({ line }) => !lines.has(line) && lines.add(line));
    return { root: null, broken: true, diagnostics };
  }
  const root = document.contents === null ? null : reader.read(document.contents, 0);
  return { root: isEmpty(root) ? null : root, broken: false, diagnostics: reader.diagnostics };
}

function isEmpty(node: SourceNode | null): boolean {
  return node === null || (node.kind === 'scalar' && node.value === null);
}

interface ReaderContext {
  readonly text: string;
  readonly lines: LineCounter;
  readonly document: Document.Parsed;
  readonly sources: ExpansionSources | null;
}

/** Turns the nodes of one document into a source tree. */
class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #file: string;
  readonly #context: ReaderContext;
  /** What each anchor became, so that an alias costs nothing but its weight. */
  readonly #anchored = new Map<object, { node: SourceNode; weight: number }>();
  readonly #open = new Set<object>();
  #aliased = 0;
  #weight = 0;

  constructor(file: string, context: ReaderContext) {
    this.#file = file;
    this.#context = context;
  }

  read(node: ParsedNode, depth: number): SourceNode {
    if (isAlias(node)) return this.#alias(node);
    const before = this.#weight;
    this.#weight += 1;
    this.#open.add(node);
    const result = depth > DEPTH ? this.#tooDeep(node) : this.#collection(node, depth);
    this.#open.delete(node);
    if (node.anchor !== undefined) this.#anchored.set(node, { node: result, weight: this.#weight - before });
    return result;
  }

  report(range: readonly number[], complaint: Parameters<typeof diagnosticAt>[1]): void {
    this.diagnostics.push(diagnosticAt(this.#place(range[0] ?? 0, range[1] ?? 0), complaint));
  }

  #collection(node: Exclude<ParsedNode, Alias>, depth: number): SourceNode {
    if (isMap(node)) return this.#map(node, depth);
    if (!isSeq(node)) return this.#scalar(node);
    const items = node.items.map((item) => this.read(item as ParsedNode, depth + 1));
    return { kind: 'list', items, place: items[0]?.place ?? this.#placeOf(node) };
  }

  #tooDeep(node: ParsedNode): ScalarNode {
    const place = this.#placeOf(node);
    this.diagnostics.push(diagnosticAt(place, TOO_DEEP));
    return nothing(place, 'error');
  }

  #alias(alias: Alias.Parsed): SourceNode {
    const place = this.#placeOf(alias);
    const target = alias.resolve(this.#context.document);
    const known = target === undefined ? undefined : this.#anchored.get(target);
    if (known === undefined) {
      const self = target !== undefined && this.#open.has(target);
      const message = self ? `“*${alias.source}” contains itself` : `anchor “&${alias.source}” does not exist`;
      this.diagnostics.push(diagnosticAt(place, { code: 'HG0101', message }));
      return nothing(place, 'error');
    }
    this.#aliased += known.weight;
    this.#weight += known.weight;
    if (this.#aliased <= ALIASED_NODES) return known.node;
    const message = `aliases stand for more than ${ALIASED_NODES} values`;
    if (this.#aliased - known.weight <= ALIASED_NODES) {
      this.diagnostics.push(diagnosticAt(place, { code: 'HG0101', message }));
    }
    return nothing(place, 'error');
  }

  #map(map: YAMLMap.Parsed, depth: number): MapNode {
    const own = new Map<string, MapEntry>();
    const merged: MapNode[] = [];
    const lost: Place[] = [];
    for (const pair of map.items as Pair<ParsedNode, ParsedNode | null>[]) {
      const key = this.#key(pair.key);
      const place = this.#placeOf(pair.key);
      if (key === null) {
        lost.push(place);
        continue;
      }
      const value = pair.value === null ? nothing(place, 'file') : this.read(pair.value, depth + 1);
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        const maps = this.#mergeable(value, place);
        if (maps === null) lost.push(place);
        else merged.push(...maps);
        continue;
      }
      const first = own.get(key);
      if (first === undefined) own.set(key, { key: place, value });
      else {
        own.set(key, { ...first, twice: place });
        this.#duplicate(key, first.key, place);
      }
    }
    const entries = merged.length === 0 ? own : withMerged(own, merged);
    const first = own.values().next().value?.key;
    return { kind: 'map', entries, place: first ?? this.#placeOf(map), lost };
  }

  #key(key: ParsedNode): string | null {
    if (!isScalar(key)) {
      this.diagnostics.push(diagnosticAt(this.#placeOf(key), { code: 'HG0101', message: 'a key must be plain text' }));
      return null;
    }
    const text = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    if (text !== '__proto__') return text;
    this.diagnostics.push(diagnosticAt(this.#placeOf(key), { message: '“__proto__” cannot be a key' }));
    return null;
  }

  /** `null` for what is none. */
  #mergeable(value: SourceNode, place: Place): MapNode[] | null {
    const maps = value.kind === 'list' ? value.items : [value];
    const good = maps.filter((item) => item.kind === 'map');
    if (good.length === maps.length) return good;
    this.diagnostics.push(diagnosticAt(place, { code: 'HG0101', message: '“<<” takes a map, or a list of maps' }));
    return null;
  }

  #duplicate(key: string, first: Place, second: Place): void {
    const notes = [noteAt(first, 'first here')];
    this.diagnostics.push(diagnosticAt(second, { code: 'HG0104', message: `key “${key}” is given twice`, notes }));
  }

  #scalar(scalar: Scalar.Parsed): ScalarNode {
    const place = this.#placeOf(scalar);
    const quoted = scalar.type !== 'PLAIN';
    const text = scalar.source ?? String(scalar.value);
    const { value } = scalar;
    if (typeof value !== 'string') {
      return { kind: 'scalar', value: plainValue(value, text), place, text, quoted, from: 'file' };
    }
    const { sources } = this.#context;
    if (sources === null) return { kind: 'scalar', value, place, text, quoted, from: 'file' };
    const expansion = expand(value, sources);
    if (expansion.kind === 'failed') {
      const { message, suggestion } = expansion;
      this.diagnostics.push(diagnosticAt(place, { code: 'HG0105', message, suggestion }));
      return { kind: 'scalar', value: null, place, text, quoted, from: 'error' };
    }
    const expanded = expansion.kind === 'expanded';
    const retyped = expanded && expansion.whole && !quoted ? retype(expansion.text) : expansion.text;
    return { kind: 'scalar', value: retyped, place, text, quoted, from: expanded ? 'expansion' : 'file' };
  }

  #placeOf(node: ParsedNode): Place {
    const [start, end] = node.range ?? [0, 0];
    return this.#place(start, end);
  }

  #place(start: number, end: number): Place {
    const { line, col } = this.#context.lines.linePos(start);
    const lineEnd = this.#context.text.slice(start, end).search(/\r?\n/);
    const length = lineEnd === -1 ? end - start : lineEnd;
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1), length: Math.max(length, 1) };
  }
}

function withMerged(own: Map<string, MapEntry>, merged: readonly MapNode[]): Map<string, MapEntry> {
  const entries = new Map(own);
  for (const map of merged) {
    for (const [key, entry] of map.entries) if (!entries.has(key)) entries.set(key, entry);
  }
  return entries;
}

function nothing(place: Place, from: 'file' | 'error'): ScalarNode {
  return { kind: 'scalar', value: null, place, text: '', quoted: false, from };
}

function plainValue(value: unknown, text: string): ScalarNode['value'] {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  return text;
}

/** What a plain YAML scalar of this text is, as far as numbers and booleans go; everything else stays text. */
function retype(text: string): string | number | boolean {
  const { contents } = parseDocument(text, { strict: false, prettyErrors: false, logLevel: 'silent' });
  if (!isScalar(contents) || contents.type !== 'PLAIN' || contents.source !== text) return text;
  return typeof contents.value === 'number' || typeof contents.value === 'boolean' ? contents.value : text;
}
