import { type Diagnostic, diagnosticAt, noteAt, type Place } from './config-error.ts';
import { checkKindKeys, isTcp } from './kind-keys.ts';
import type { MapEntry, MapNode, ScalarNode, SourceNode } from './source-tree.ts';
import { closest, didYouMean, enumerate } from './suggest.ts';

/**
 * Names that point nowhere, or at the wrong thing: pools and listeners of routes, redirects between listeners, routes
 * of the same name. Works on the files as they are, so that other mistakes do not hide these.
 */
export function checkReferences(root: MapNode): Diagnostic[] {
  const listeners = section(root, 'listeners');
  const pools = section(root, 'pools');
  const routes = root.entries.get('routes')?.value;
  const items = routes?.kind === 'list' ? routes.items.filter((item) => item.kind === 'map') : [];
  return [
    ...checkRedirects(listeners),
    ...checkKindKeys(listeners, pools),
    ...[...listeners.values()].flatMap((listener) => checkForwarding(listener, [...pools.keys()])),
    ...items.flatMap((route) => checkRoute(route, [...pools.keys()], listeners)),
    ...checkRouteNames(items),
  ];
}

function section(root: MapNode, name: string): ReadonlyMap<string, MapEntry> {
  const node = root.entries.get(name)?.value;
  return node?.kind === 'map' ? node.entries : new Map();
}

/** The pools that a listener forwards connections to as they are. */
function checkForwarding({ value }: MapEntry, pools: readonly string[]): Diagnostic[] {
  if (value.kind !== 'map') return [];
  const passthrough = value.entries.get('passthrough')?.value;
  const entries = passthrough?.kind === 'list' ? passthrough.items.filter((item) => item.kind === 'map') : [];
  return [value, ...entries]
    .flatMap((map) => texts(map.entries.get('pool')?.value))
    .flatMap((node) => checkName(node, 'pool', pools));
}

function checkRoute(route: MapNode, pools: readonly string[], listeners: ReadonlyMap<string, MapEntry>): Diagnostic[] {
  const pool = [
    ...texts(route.entries.get('pool')?.value),
    ...poolsIn(route.entries.get('split')?.value),
    ...poolsIn(route.entries.get('mirror')?.value),
    ...poolsIn(stepsOf(route.entries.get('fallback')?.value)),
  ];
  const wanted = texts(route.entries.get('listeners')?.value);
  return [
    ...pool.flatMap((node) => checkName(node, 'pool', pools)),
    ...wanted.flatMap((node) => checkRouted(node, listeners)),
  ];
}

/** The pools that a map names, or the maps of a list. */
function poolsIn(node: SourceNode | undefined): ScalarNode[] {
  const items = node?.kind === 'list' ? node.items : node === undefined ? [] : [node];
  const maps = items.filter((item) => item.kind === 'map');
  return maps.flatMap(({ entries }) => texts(entries.get('pool')?.value));
}

/** Fallbacks are a list, or a map with one. */
function stepsOf(fallback: SourceNode | undefined): SourceNode | undefined {
  return fallback?.kind === 'map' ? fallback.entries.get('steps')?.value : fallback;
}

function checkRouted(node: ScalarNode, listeners: ReadonlyMap<string, MapEntry>): Diagnostic[] {
  const found = listeners.get(String(node.value));
  if (found === undefined || !isTcp(found)) return checkName(node, 'listener', [...listeners.keys()]);
  const message = `listener “${node.text}” is of kind tcp: it knows no requests, so no routes`;
  return [diagnosticAt(node.place, { code: 'HG0103', message, notes: [noteAt(found.key, 'defined here')] })];
}

function checkName(node: ScalarNode, kind: 'pool' | 'listener', existing: readonly string[]): Diagnostic[] {
  const name = String(node.value);
  if (existing.includes(name)) return [];
  const near = node.from === 'file' ? closest(name, existing) : null;
  const list = existing.length === 0 ? `no ${kind} is defined` : `there are ${enumerate(existing, 'and')}`;
  const suggestion = near === null ? only(existing, list) : alsoListed(near, existing);
  return [diagnosticAt(node.place, { code: 'HG0103', message: `${kind} “${node.text}” does not exist`, suggestion })];
}

function only(existing: readonly string[], list: string): string {
  return existing.length === 1 ? `there is only “${existing[0]}”` : list;
}

function alsoListed(near: string, existing: readonly string[]): string {
  const others = existing.filter((name) => name !== near);
  return others.length === 0 ? didYouMean(near) : `${didYouMean(near)} There is also ${enumerate(others, 'and')}`;
}

function checkRedirects(listeners: ReadonlyMap<string, MapEntry>): Diagnostic[] {
  const secure = [...listeners].filter(([, { value }]) => value.kind === 'map' && value.entries.has('tls'));
  const names = secure.map(([name]) => name);
  return [...listeners].flatMap(([name, { value }]) => {
    const [target] = value.kind === 'map' ? texts(value.entries.get('redirectTo')?.value) : [];
    if (target === undefined) return [];
    const to = String(target.value);
    const known = listeners.get(to);
    if (known === undefined) return checkName(target, 'listener', [...listeners.keys()]);
    const place = target.place;
    if (to === name)
      return [diagnosticAt(place, { code: 'HG0103', message: `listener “${name}” redirects to itself` })];
    if (names.includes(to)) return [];
    return [withoutTls(place, target.text, { known: known.key, names })];
  });
}

function withoutTls(place: Place, name: string, context: { known: Place; names: readonly string[] }): Diagnostic {
  const { known, names } = context;
  return diagnosticAt(place, {
    code: 'HG0103',
    message: `listener “${name}” has no “tls”`,
    suggestion: names.length === 0 ? 'no listener has' : `redirect to ${enumerate(names)}`,
    notes: [noteAt(known, 'defined here')],
  });
}

function checkRouteNames(routes: readonly MapNode[]): Diagnostic[] {
  const seen = new Map<string, Place>();
  return routes.flatMap((route) => {
    const [node] = texts(route.entries.get('name')?.value);
    if (node === undefined) return [];
    const name = String(node.value);
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, node.place);
      return [];
    }
    const notes = [noteAt(first, 'first here')];
    return [diagnosticAt(node.place, { code: 'HG0104', message: `route “${node.text}” is defined twice`, notes })];
  });
}

/** The texts of one value or a list of them; whatever else stands there is another mistake, reported elsewhere. */
function texts(node: SourceNode | undefined): ScalarNode[] {
  if (node === undefined) return [];
  const items = node.kind === 'list' ? node.items : [node];
  return items.filter((item) => item.kind === 'scalar').filter(({ value }) => typeof value === 'string');
}
