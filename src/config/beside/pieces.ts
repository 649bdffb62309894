import type { Diagnostic } from '../config-error.ts';
import type { Files, Loaded, LoadResult, Remainder } from '../load.ts';
import { Origins } from '../origins.ts';
import type { Config } from '../schema/config.ts';
import type { ListNode, MapEntry, MapNode, SourceNode } from '../source-tree.ts';

/** Pools or routes of one piece: reading a piece takes a millisecond or two. */
const PIECE = 100;

/**
 * A configuration cut into pieces that go from one thread to another, one at a time. Whoever gets them can do something else between
 * two of them; all at once would hold him up for as long as thousands of routes take to be read.
 */
export type Piece =
  | {
      readonly kind: 'refused';
      readonly diagnostics: readonly Diagnostic[];
      readonly sound: BareRemainder | null;
      readonly files: Files;
    }
  | { readonly kind: 'frame'; readonly bare: Bare; readonly files: Files }
  | {
      readonly kind: 'pools';
      readonly pools: Config['pools'];
      readonly nodes: readonly (readonly [string, MapEntry])[];
    }
  | { readonly kind: 'routes'; readonly routes: Config['routes']; readonly nodes: readonly SourceNode[] };

/** Configuration and origins as plain data. */
interface Bare {
  readonly config: Config;
  readonly root: SourceNode;
}

type BareRemainder = Omit<Remainder, 'origins'> & Bare;

/** The pieces of what was loaded, the frame first. */
export function* piecesOf(loaded: LoadResult): Generator<Piece, void> {
  const { files } = loaded;
  if (!loaded.ok) {
    yield { kind: 'refused', diagnostics: loaded.diagnostics, sound: bared(loaded.sound), files };
    return;
  }
  const { config } = loaded;
  const { root } = loaded.origins;
  const sections = root.kind === 'map' ? root.entries : new Map<string, MapEntry>();
  const pools = sections.get('pools')?.value;
  const routes = sections.get('routes')?.value;
  const frame = withSections(root, { pools: emptied(pools), routes: emptied(routes) });
  yield { kind: 'frame', bare: { config: { ...config, pools: {}, routes: [] }, root: frame }, files };
  const poolNodes = pools?.kind === 'map' ? pools.entries : new Map<string, MapEntry>();
  for (const some of inPieces(Object.entries(config.pools))) {
    const nodes = some.flatMap(([name]) => {
      const node = poolNodes.get(name);
      return node === undefined ? [] : [[name, node] as const];
    });
    yield { kind: 'pools', pools: Object.fromEntries(some), nodes };
  }
  const routeNodes = routes?.kind === 'list' ? routes.items : [];
  for (let from = 0; from < config.routes.length; from += PIECE) {
    const to = from + PIECE;
    yield { kind: 'routes', routes: config.routes.slice(from, to), nodes: routeNodes.slice(from, to) };
  }
}

/** Puts the pieces together again, in the order in which they were cut. */
export class PiecedConfig {
  #refused: LoadResult | null = null;
  #frame: (Piece & { kind: 'frame' }) | null = null;
  readonly #pools: Config['pools'] = {};
  readonly #routes: Config['routes'] = [];
  readonly #poolNodes = new Map<string, MapEntry>();
  readonly #routeNodes: SourceNode[] = [];

  add(piece: Piece): void {
    switch (piece.kind) {
      case 'refused': {
        const { diagnostics, sound, files } = piece;
        this.#refused = { ok: false, diagnostics, sound: dressed(sound), files };
        return;
      }
      case 'frame':
        this.#frame = piece;
        return;
      case 'pools':
        Object.assign(this.#pools, piece.pools);
        for (const [name, node] of piece.nodes) this.#poolNodes.set(name, node);
        return;
      case 'routes':
        this.#routes.push(...piece.routes);
        this.#routeNodes.push(...piece.nodes);
    }
  }

  /** After the last piece. */
  whole(): LoadResult {
    if (this.#refused !== null) return this.#refused;
    if (this.#frame === null) throw new TypeError('Cannot put a configuration together: its frame is missing');
    return this.#loaded(this.#frame);
  }

  #loaded({ bare, files }: Piece & { kind: 'frame' }): Loaded {
    const { root } = bare;
    const sections = root.kind === 'map' ? root.entries : new Map<string, MapEntry>();
    const pools = sections.get('pools')?.value;
    const routes = sections.get('routes')?.value;
    const filled = withSections(root, {
      pools: pools?.kind === 'map' ? { ...pools, entries: this.#poolNodes } : pools,
      routes: routes?.kind === 'list' ? { ...routes, items: this.#routeNodes } : routes,
    });
    const config = { ...bare.config, pools: this.#pools, routes: this.#routes };
    return { ok: true, config, origins: new Origins(filled), files };
  }
}

function bared(remainder: Remainder | null): BareRemainder | null {
  if (remainder === null) return null;
  const { origins, ...rest } = remainder;
  return { ...rest, root: origins.root };
}

function dressed(bare: BareRemainder | null): Remainder | null {
  if (bare === null) return null;
  const { root, ...rest } = bare;
  return { ...rest, origins: new Origins(root) };
}

function withSections(root: SourceNode, sections: Readonly<Record<string, SourceNode | undefined>>): SourceNode {
  if (root.kind !== 'map') return root;
  const entries = [...root.entries].map(([key, entry]): [string, MapEntry] => {
    const value = sections[key];
    return [key, value === undefined ? entry : { ...entry, value }];
  });
  return { ...root, entries: new Map(entries) };
}

function emptied(node: SourceNode | undefined): MapNode | ListNode | undefined {
  if (node?.kind === 'map') return { ...node, entries: new Map() };
  return node?.kind === 'list' ? { ...node, items: [] } : undefined;
}

function* inPieces<T>(items: readonly T[]): Generator<readonly T[], void> {
  for (let from = 0; from < items.length; from += PIECE) yield items.slice(from, from + PIECE);
}
