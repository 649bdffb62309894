import type { $ZodType } from 'zod/v4/core';
import type { Place } from './config-error.ts';
import { formatDuration, formatShare, formatSize } from './near-values.ts';
import { config } from './schema/config.ts';
import { accepts, childSchema, formOf, keysOf, optionsOf, type Schema, shapeOf, unwrap } from './schema-shape.ts';
import { type MapNode, type ScalarNode, type SourceNode, toPlain } from './source-tree.ts';

/** Why a value is what it is. */
export type ValueOrigin =
  | { readonly kind: 'default' }
  /** `from`: what `${…}` took it from, as in `environment PORT` and `file /run/secrets/key`; empty for what stands there. */
  | { readonly kind: 'written'; readonly place: Place; readonly from: readonly string[] };

/** A configuration with every default, in the words that one writes it in, and the origin of every value. */
export type EffectiveNode = EffectiveLeaf | EffectiveMap | EffectiveList;

export interface EffectiveLeaf {
  readonly kind: 'leaf';
  /** A scalar, or an empty map or list. What `${…}` became is not here: the expression is. */
  readonly value: unknown;
  /** Only in quotes it stays text. */
  readonly quoted: boolean;
  readonly origin: ValueOrigin;
}

export interface EffectiveMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, EffectiveNode>;
}

export interface EffectiveList {
  readonly kind: 'list';
  readonly items: readonly EffectiveNode[];
}

/**
 * Everything that holds when `root`, which the schemas accept, is loaded: what it says, and where it says nothing, the
 * default. The schemas make the same of it.
 */
export function effective(root: SourceNode): EffectiveNode {
  return given(config, root) ?? presetLeaf({});
}

/** What `schema` makes of `node`, which is there. */
function given(schema: $ZodType, node: SourceNode): EffectiveNode | null {
  if (isNothing(node)) return absent(schema);
  const option = chosen(schema, node);
  const { def } = option._zod;
  if (node.kind === 'map' && def.type === 'object') return objectOf(option, node, DEFAULT);
  if (node.kind === 'map') {
    const value = def.type === 'record' ? def.valueType : null;
    return mapOf(
      [...node.entries].map(([key, entry]) => [key, plainOr(value, entry.value)]),
      writtenAt(node.place),
    );
  }
  if (node.kind === 'list') {
    const element = def.type === 'array' ? def.element : null;
    return listOf(
      node.items.map((item) => plainOr(element, item)),
      writtenAt(node.place),
    );
  }
  return shorthand(schema, node) ?? writtenLeaf(node);
}

function plainOr(schema: $ZodType | null, node: SourceNode): EffectiveNode | null {
  if (schema !== null) return given(schema, node);
  if (node.kind === 'scalar') return writtenLeaf(node);
  const origin = writtenAt(node.place);
  if (node.kind === 'list')
    return listOf(
      node.items.map((item) => plainOr(null, item)),
      origin,
    );
  return mapOf(
    [...node.entries].map(([key, entry]) => [key, plainOr(null, entry.value)]),
    origin,
  );
}

/** `key:` with nothing behind it is the same as no key. */
function isNothing(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null && node.text === '';
}

/** What holds where nothing is written; `null` where there is no default. */
function absent(schema: $ZodType): EffectiveNode | null {
  const preset = presetOf(schema);
  if (preset === undefined) return null;
  const inner = unwrap(schema);
  if (inner._zod.def.type === 'object' && isEmptyMap(preset.value)) return objectOf(inner, null, DEFAULT);
  return presetNode(schema, preset.value);
}

function isEmptyMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

const DEFAULT: ValueOrigin = { kind: 'default' };

function writtenAt(place: Place): ValueOrigin {
  return { kind: 'written', place, from: [] };
}

function objectOf(schema: $ZodType, node: MapNode | null, otherwise: ValueOrigin): EffectiveNode {
  const entries = Object.entries(shapeOf(schema) ?? {}).map(([key, child]) => {
    const entry = node?.entries.get(key);
    const value = entry === undefined ? absent(child) : given(child, entry.value);
    return [key, value === null || entry !== undefined ? value : withOrigin(value, otherwise)] as const;
  });
  return mapOf(entries, node === null ? otherwise : writtenAt(node.place));
}

/** What stands for more than itself: `true` for all defaults of a map, an address for an endpoint with the usual weight. */
function shorthand(schema: $ZodType, node: ScalarNode): EffectiveNode | null {
  const options = flatOptions(schema);
  const whole = options.find((option) => shapeOf(option) !== null && accepts(option, {}));
  if (node.value === true && whole !== undefined && options.length > 1) {
    return objectOf(whole, null, originOf(node));
  }
  const endpoint = options.find((option) => keysOf(option).includes('address') && keysOf(option).includes('weight'));
  if (endpoint === undefined) return null;
  const key = node.place;
  return objectOf(
    endpoint,
    { kind: 'map', place: key, entries: new Map([['address', { key, value: node }]]) },
    DEFAULT,
  );
}

/** Of several alternatives, the one that `node` is for. */
function chosen(schema: $ZodType, node: SourceNode): Schema {
  const options = flatOptions(schema).map(unwrap);
  const [only] = options;
  if (only !== undefined && options.length === 1) return only;
  const fitting = options.filter((option) => fits(option, node));
  const plain = fitting.length > 1 ? toPlain(node) : null;
  return fitting.find((option) => fitting.length === 1 || accepts(option, plain)) ?? fitting[0] ?? unwrap(schema);
}

function fits(option: Schema, node: SourceNode): boolean {
  const { type } = option._zod.def;
  if (node.kind === 'list') return type === 'array';
  if (node.kind === 'scalar') return type !== 'array' && type !== 'object' && type !== 'record';
  if (type === 'record') return true;
  const keys = keysOf(option);
  return type === 'object' && [...node.entries.keys()].every((key) => keys.includes(key));
}

function flatOptions(schema: $ZodType): readonly $ZodType[] {
  if (formOf(schema) !== null) return [schema]; // spellings of one value
  const options = optionsOf(schema);
  return options.length === 1 ? options : options.flatMap(flatOptions);
}

/** The default somewhere among the wrappers of a schema. */
function presetOf(schema: $ZodType): { readonly value: unknown } | undefined {
  let current = schema as Schema;
  for (;;) {
    const { def } = current._zod;
    if (def.type === 'default' || def.type === 'prefault') return { value: def.defaultValue };
    if (def.type === 'pipe') current = def.in as Schema;
    else if (def.type === 'lazy') current = def.getter() as Schema;
    else if ('innerType' in def) current = def.innerType as Schema;
    else return undefined;
  }
}

/** A default as one would write it: schemas keep it parsed. */
function presetNode(schema: $ZodType, value: unknown): EffectiveNode {
  const kind = formOf(schema)?.kind;
  if (typeof value === 'number' && kind === 'duration') return presetLeaf(unlessBare(formatDuration(value)));
  if (typeof value === 'number' && kind === 'size') return presetLeaf(unlessBare(formatSize(value)));
  if (typeof value === 'number' && kind === 'share') return presetLeaf(formatShare(value));
  const child = (key: string | number): $ZodType => childSchema(schema, key) ?? schema;
  if (Array.isArray(value))
    return listOf(
      value.map((item, index) => presetNode(child(index), item)),
      DEFAULT,
    );
  if (typeof value !== 'object' || value === null) return presetLeaf(value);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return mapOf(
    entries.map(([key, entry]) => [key, presetNode(child(key), entry)]),
    DEFAULT,
  );
}

/** A number where it takes no unit. */
function unlessBare(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

function presetLeaf(value: unknown): EffectiveLeaf {
  return { kind: 'leaf', value, quoted: false, origin: DEFAULT };
}

function writtenLeaf(node: ScalarNode): EffectiveLeaf {
  const origin = originOf(node);
  if (node.from === 'expansion') return { kind: 'leaf', value: node.text, quoted: node.quoted, origin };
  // On its way back it is expanded again.
  const value = typeof node.value === 'string' ? node.value.replaceAll(/\$(?=[${])/g, '$$$$') : node.value;
  return { kind: 'leaf', value, quoted: false, origin };
}

function originOf(node: ScalarNode): ValueOrigin {
  const from = node.from === 'expansion' ? sourcesIn(node.text) : [];
  return { kind: 'written', place: node.place, from };
}

/** `environment NAME` and `file PATH` for each expression, in order, once. */
function sourcesIn(text: string): string[] {
  const expressions = [...text.matchAll(/\$(?:\$|\{(file:)?([^}]*)\})/g)].flatMap(([, file, name]) => {
    if (name === undefined) return [];
    return [file === undefined ? `environment ${name.replace(/:-.*$/s, '')}` : `file ${name}`];
  });
  return [...new Set(expressions)];
}

function withOrigin(node: EffectiveNode, origin: ValueOrigin): EffectiveNode {
  if (origin === DEFAULT) return node;
  if (node.kind === 'leaf') return { ...node, origin };
  if (node.kind === 'list') return { kind: 'list', items: node.items.map((item) => withOrigin(item, origin)) };
  const entries = [...node.entries].map(([key, value]) => [key, withOrigin(value, origin)] as const);
  return { kind: 'map', entries: new Map(entries) };
}

/** `origin`: of a map that turns out to be empty. */
function mapOf(entries: readonly (readonly [string, EffectiveNode | null])[], origin: ValueOrigin): EffectiveNode {
  const there = entries.flatMap(([key, value]) => (value === null ? [] : [[key, value] as const]));
  return there.length === 0
    ? { kind: 'leaf', value: {}, quoted: false, origin }
    : { kind: 'map', entries: new Map(there) };
}

function listOf(items: readonly (EffectiveNode | null)[], origin: ValueOrigin): EffectiveNode {
  if (items.length === 0) return { kind: 'leaf', value: [], quoted: false, origin };
  return { kind: 'list', items: items.filter((item) => item !== null) };
}
