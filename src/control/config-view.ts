import { type EffectiveNode, effective } from '../config/effective.ts';
import { effectiveData, valuesOf } from '../config/effective-yaml.ts';
import type { Origins } from '../config/origins.ts';
import { withoutSecrets } from '../config/secret-values.ts';
import type { ListNode, MapEntry, MapNode, SourceNode } from '../config/source-tree.ts';
import { inSlices } from './slices.ts';

/** The configuration that is served. Plain data, nothing secret. */
export interface ConfigView {
  /** As one writes it, every default filled in. What is quarantined is there too. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Where values are written (`routes/shop.yaml:12`), by JSON pointer (RFC 6901); what is not here is a default. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Routes or pools in one turn of the event loop: there may be thousands, at a fraction of a millisecond each. */
const SLICE = 8;

/** Takes many turns of the event loop for a large configuration, so that it holds up nobody. */
export async function configView({ root }: Pick<Origins, 'root'>): Promise<ConfigView> {
  const draft: Draft = { config: {}, origins: {} };
  const parts = partsOf(root);
  await inSlices(() => {
    const part = parts.next();
    if (part.done === true) return 'done';
    addPart(part.value, draft);
    return 'more';
  });
  return draft;
}

interface Draft {
  readonly config: Record<string, unknown>;
  readonly origins: Record<string, string>;
}

/** A configuration that has some of the routes or pools alone, or everything but these. */
interface Part {
  readonly root: MapNode;
  /** `null` for everything else. */
  readonly section: 'routes' | 'pools' | null;
  /** Of its first route, among all. */
  readonly offset: number;
}

function* partsOf(root: SourceNode): Iterator<Part> {
  if (root.kind !== 'map') return;
  const routes = root.entries.get('routes');
  const pools = root.entries.get('pools');
  const isList = routes?.value.kind === 'list';
  const isMap = pools?.value.kind === 'map';
  const rest = [...root.entries].filter(([key]) => !(key === 'routes' && isList) && !(key === 'pools' && isMap));
  yield { root: { ...root, entries: new Map(rest) }, section: null, offset: 0 };
  if (pools !== undefined && isMap) yield* poolParts(root, pools);
  if (routes !== undefined && isList) yield* routeParts(root, routes);
}

function* poolParts(root: MapNode, { key, value }: MapEntry): Iterable<Part> {
  const pools = [...(value as MapNode).entries];
  for (let i = 0; i < pools.length; i += SLICE) {
    const some: MapNode = { ...(value as MapNode), entries: new Map(pools.slice(i, i + SLICE)) };
    yield { root: { ...root, entries: new Map([['pools', { key, value: some }]]) }, section: 'pools', offset: 0 };
  }
}

function* routeParts(root: MapNode, { key, value }: MapEntry): Iterable<Part> {
  const { items } = value as ListNode;
  for (let i = 0; i < items.length; i += SLICE) {
    const some: ListNode = { ...(value as ListNode), items: items.slice(i, i + SLICE) };
    yield { root: { ...root, entries: new Map([['routes', { key, value: some }]]) }, section: 'routes', offset: i };
  }
}

function addPart({ root, section, offset }: Part, draft: Draft): void {
  const whole = effective(root);
  const node = section === null ? whole : sectionOf(whole, section);
  if (node === null) return;
  const shown = withoutSecrets(node, section === null ? [] : [section]);
  merge(draft.config, section, effectiveData(shown));
  for (const { path, leaf } of valuesOf(shown)) {
    if (leaf.origin.kind === 'default') continue;
    const { file, line } = leaf.origin.place;
    draft.origins[pointerOf(section, path, offset)] = `${file}:${line}`;
  }
}

function sectionOf(node: EffectiveNode, section: string): EffectiveNode | null {
  return node.kind === 'map' ? (node.entries.get(section) ?? null) : null;
}

function merge(config: Record<string, unknown>, section: Part['section'], data: unknown): void {
  const known = section === null ? config : config[section];
  if (Array.isArray(known) && Array.isArray(data)) known.push(...(data as readonly unknown[]));
  else Object.assign(known as object, data);
}

function pointerOf(section: Part['section'], path: readonly (string | number)[], offset: number): string {
  const [first, ...more] = path;
  const steps = section === null ? path : [section, ...(typeof first === 'number' ? [first + offset, ...more] : path)];
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
