import { type Diagnostic, diagnosticAt, noteAt, type Place } from './config-error.ts';
import type { MapEntry, MapNode, ScalarNode, SourceNode } from './source-tree.ts';
import { closest, didYouMean, enumerate } from './suggest.ts';

/**
 * Names that point nowhere, or at the wrong thing: pools and listeners of routes, redirects between listeners, routes
 * of the same name. Works on the files as they are, so that other mistakes do not hide these.
 */
export function checkReferences(root: MapNode): Diagnostic[] {
  const listeners = section(root, 'listeners');
  const routes = root.entries.get('routes')?.value;
  const items = routes?.kind === 'list' ? routes.items.filter((item) => item.kind === 'map') : [];
  return [
    ...checkRedirects(listeners),
    ...items.flatMap((route) => checkRoute(route, [...section(root, 'pools').keys()], [...listeners.keys()])),
    ...checkRouteNames(items),
  ];
}

function section(root: MapNode, name: string): ReadonlyMap<string, MapEntry> {
  const node = root.entries.get(name)?.value;
  return node?.kind === 'map' ? node.entries : new Map();
}

function checkRoute(route: MapNode, pools: readonly string[], listeners: readonly string[]): Diagnostic[] {
  const pool = texts(route.entries.get('pool')?.value);
  const wanted = texts(route.entries.get('listeners')?.value);
  return [
    ...pool.flatMap((node) => checkName(node, 'pool', pools)),
    ...wanted.flatMap((node) => checkName(node, 'listener', listeners)),
  ];
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
