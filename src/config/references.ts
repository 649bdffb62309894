import { type Diagnostic, diagnosticAt, noteAt, type Place } from './config-error.ts';
import { checkListenerKeys, checkPoolKeys, isTcp } from './kind-keys.ts';
import type { Fault } from './part.ts';
import type { MapEntry, MapNode, Path, ScalarNode, SourceNode } from './source-tree.ts';
import { closest, didYouMean, enumerate } from './suggest.ts';

/**
 * Names that point nowhere, or at the wrong thing: pools and listeners of routes, redirects between listeners, routes
 * of the same name. Works on the files as they are, so that other mistakes do not hide these.
 */
export function checkReferences(root: MapNode): Fault[] {
  const listeners = section(root, 'listeners');
  const pools = section(root, 'pools');
  const groups = [...section(root, 'policies').keys()];
  const routes = root.entries.get('routes')?.value;
  const items = routes?.kind === 'list' ? routes.items : [];
  const ofListeners = [
    ...checkRedirects(listeners),
    ...checkListenerKeys(listeners),
    ...[...listeners.values()].flatMap((listener) => checkForwarding(listener, [...pools.keys()])),
    ...[...listeners.values()].flatMap(({ value }) => checkUse(value, groups)),
  ];
  return [
    ...faultsAt(null, ofListeners),
    ...[...pools].flatMap(([name, pool]) => faultsAt(['pools', name], checkPoolKeys(pool))),
    ...items.flatMap((route, index) =>
      checkRoute(route, ['routes', index], { pools: [...pools.keys()], listeners, groups }),
    ),
    ...checkRouteNames(items),
  ];
}

function faultsAt(at: Path | null, diagnostics: readonly Diagnostic[]): Fault[] {
  return diagnostics.map((diagnostic) => ({ at, diagnostic }));
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

function checkRoute(
  route: SourceNode,
  at: Path,
  existing: {
    readonly pools: readonly string[];
    readonly listeners: ReadonlyMap<string, MapEntry>;
    readonly groups: readonly string[];
  },
): Fault[] {
  if (route.kind !== 'map') return [];
  const value = (key: string): SourceNode | undefined => route.entries.get(key)?.value;
  const named: readonly (readonly [key: string, nodes: readonly ScalarNode[]])[] = [
    ['pool', texts(value('pool'))],
    ['split', poolsIn(value('split'))],
    ['mirror', poolsIn(value('mirror'))],
    ['fallback', poolsIn(stepsOf(value('fallback')))],
  ];
  const listeners = value('listeners');
  return [
    ...faultsAt([...at, 'use'], checkUse(route, existing.groups)),
    ...named.flatMap(([key, nodes]) =>
      faultsAt(
        [...at, key],
        nodes.flatMap((node) => checkName(node, 'pool', existing.pools)),
      ),
    ),
    ...texts(listeners).flatMap((node) => {
      const index = listeners?.kind === 'list' ? [listeners.items.indexOf(node)] : [];
      return faultsAt([...at, 'listeners', ...index], checkRouted(node, existing.listeners));
    }),
  ];
}

/** The groups of policies that a route or listener includes. */
function checkUse(node: SourceNode, groups: readonly string[]): Diagnostic[] {
  if (node.kind !== 'map') return [];
  return texts(node.entries.get('use')?.value).flatMap((name) => checkName(name, 'group of policies', groups));
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

function checkName(
  node: ScalarNode,
  kind: 'pool' | 'listener' | 'group of policies',
  existing: readonly string[],
): Diagnostic[] {
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

function checkRouteNames(routes: readonly SourceNode[]): Fault[] {
  const seen = new Map<string, Place>();
  return routes.flatMap((route, index) => {
    const [node] = route.kind === 'map' ? texts(route.entries.get('name')?.value) : [];
    if (node === undefined) return [];
    const name = String(node.value);
    const first = seen.get(name);
    if (first === undefined) {
      seen.set(name, node.place);
      return [];
    }
    const complaint = { code: 'HG0104', message: `route “${node.text}” is defined twice` } as const;
    const diagnostic = diagnosticAt(node.place, { ...complaint, notes: [noteAt(first, 'first here')] });
    return [{ at: ['routes', index, 'name'], diagnostic }];
  });
}

/** The texts of one value or a list of them; whatever else stands there is another mistake, reported elsewhere. */
function texts(node: SourceNode | undefined): ScalarNode[] {
  if (node === undefined) return [];
  const items = node.kind === 'list' ? node.items : [node];
  return items.filter((item) => item.kind === 'scalar').filter(({ value }) => typeof value === 'string');
}
