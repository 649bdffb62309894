import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { EffectiveLeaf, EffectiveNode, ValueOrigin } from './effective.ts';

/** One value of a configuration: where it is in it (RFC 6901), what it is, and why. */
export interface EffectiveValue {
  readonly path: readonly (string | number)[];
  readonly leaf: EffectiveLeaf;
}

/** Every value, each once, in the order of the YAML. */
export function valuesOf(node: EffectiveNode, path: readonly (string | number)[] = []): EffectiveValue[] {
  if (node.kind === 'leaf') return [{ path, leaf: node }];
  if (node.kind === 'list') return node.items.flatMap((item, index) => valuesOf(item, [...path, index]));
  return [...node.entries].flatMap(([key, value]) => valuesOf(value, [...path, key]));
}

/** Plain data: maps, lists and scalars. */
export function effectiveData(node: EffectiveNode): unknown {
  if (node.kind === 'leaf') return node.value;
  if (node.kind === 'list') return node.items.map(effectiveData);
  return Object.fromEntries([...node.entries].map(([key, value]) => [key, effectiveData(value)]));
}

/** `routes/shop.yaml:12`, `routes/shop.yaml:12, environment PORT`, or `default`. */
export function originText(origin: ValueOrigin): string {
  if (origin.kind === 'default') return 'default';
  const { place, from } = origin;
  return [`${place.file}:${place.line}`, ...from].join(', ');
}

/** Between a value and its comment until all are known; no YAML that is written here holds one otherwise. */
const MARK = '\u0001';
/** Comments of longer lines stand right behind them. */
const WIDEST = 72;

/** As YAML; `origins` adds a comment to every value. Ends with a line end. */
export function effectiveYaml(node: EffectiveNode, { origins }: { readonly origins: boolean }): string {
  const document = new Document();
  document.contents = yamlNode(node, origins) as typeof document.contents;
  const text = document.toString({ lineWidth: 0, commentString: (comment) => `${MARK}${comment}` });
  if (!origins) return text;
  const lines = text.split('\n').map((line) => line.split(MARK) as [string, string | undefined]);
  const widths = lines.flatMap(([value, comment]) => (comment === undefined ? [] : [value.trimEnd().length]));
  const column = Math.max(0, ...widths.filter((width) => width <= WIDEST)) + 2;
  return lines
    .map(([value, comment]) => (comment === undefined ? value : `${`${value.trimEnd()} `.padEnd(column)}# ${comment}`))
    .join('\n');
}

function yamlNode(node: EffectiveNode, origins: boolean): Scalar | YAMLMap | YAMLSeq {
  if (node.kind === 'leaf') return leafNode(node, origins);
  if (node.kind === 'list') {
    const list = new YAMLSeq();
    list.items = node.items.map((item) => yamlNode(item, origins));
    return list;
  }
  const map = new YAMLMap();
  map.items = [...node.entries].map(([key, value]) => new Pair(new Scalar(key), yamlNode(value, origins)));
  return map;
}

function leafNode({ value, quoted, origin }: EffectiveLeaf, origins: boolean): Scalar | YAMLMap | YAMLSeq {
  const node = typeof value === 'object' && value !== null ? emptyNode(value) : scalarNode(value, { quoted, origin });
  if (origins) node.comment = originText(origin);
  return node;
}

function emptyNode(value: object): YAMLMap | YAMLSeq {
  const node = Array.isArray(value) ? new YAMLSeq() : new YAMLMap();
  node.flow = true;
  return node;
}

function scalarNode(value: unknown, { quoted, origin }: Pick<EffectiveLeaf, 'quoted' | 'origin'>): Scalar {
  const scalar = new Scalar(value);
  const expanded = origin.kind === 'written' && origin.from.length > 0;
  // In quotes what `${…}` becomes stays text, without them it may be a number.
  if (expanded) scalar.type = quoted ? 'QUOTE_DOUBLE' : 'PLAIN';
  else if (typeof value === 'string' && value.includes('\n')) scalar.type = 'QUOTE_DOUBLE';
  return scalar;
}
