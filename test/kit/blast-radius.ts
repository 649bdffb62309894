import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { compileOnly } from '../../src/cli/compile-only.ts';
import { type LoadResult, servable } from '../../src/config/load.ts';
import type { Compiled } from '../../src/control/compile.ts';
import type { Tolerance } from '../../src/control/tolerance.ts';
import type { Snapshot } from '../../src/engine/snapshot.ts';
import { getHeader } from '../../src/http/headers.ts';
import { fiftyRoutes, loadSite, type Mutation, mutation, type SiteRoute, siteText } from './fifty-routes.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedClient } from './scripted-client.ts';
import { scriptedEngine } from './scripted-engine.ts';
import { ScriptedTransport } from './scripted-transport.ts';

const ENDPOINT = '127.0.0.1:1';

/** What became of the mutants, to see that the test is one. */
export interface Tally {
  /** The YAML itself was broken: there is nothing to start from. */
  unreadable: number;
  /** Nothing was wrong with it. */
  sound: number;
  /** It was quarantined. */
  quarantined: number;
  /** A reload was refused. */
  refused: number;
}

/**
 * Spoils one of fifty routes, `runs` times, and asks the engine for what belongs to the 49 others, at the start and over a reload.
 * Throws when one of them is not asked for at its own pool, and when what belongs to a route that is to refuse is not refused.
 */
export function spoilOneOfFifty(runs: number, seed: number): Tally {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-fifty-'));
  const file = join(directory, 'headgate.yaml');
  if (compiled(loadSite(file, siteText(ENDPOINT)), 'strict') === null) throw new Error('The site itself is broken');
  const tally: Tally = { unreadable: 0, sound: 0, quarantined: 0, refused: 0 };
  try {
    const property = fc.property(fc.nat(fiftyRoutes.length - 1), mutation, (index, mutation) => {
      look(loadSite(file, siteText(ENDPOINT, { index, mutation })), { index, mutation, tally });
    });
    fc.assert(property, { seed, numRuns: runs });
  } finally {
    rmSync(directory, { recursive: true });
  }
  return tally;
}

function look(
  loaded: LoadResult,
  { index, mutation, tally }: { readonly index: number; readonly mutation: Mutation; readonly tally: Tally },
): void {
  const others = fiftyRoutes.filter((_, i) => i !== index);
  if (servable(loaded) === null) {
    if (mutation.kind === 'data') throw new Error('A mutant that is YAML can’t be started from');
    tally.unreadable += 1;
    return;
  }
  const start = compiled(loaded, 'start');
  if (start === null) throw new Error('The mutant is refused at the start');
  tally[start.quarantined.length === 0 ? 'sound' : 'quarantined'] += 1;
  const reload = start.quarantined.length === 0 ? start : compiled(loaded, 'reload');
  if (reload === null) tally.refused += 1;
  // What is refused changes nothing.
  for (const { snapshot } of new Set([start, reload ?? start])) askFor(others, snapshot);
  if (start.quarantined.every(({ effect }) => effect !== 'refused')) return;
  const own = fiftyRoutes[index] as SiteRoute;
  const got = ask(own, start.snapshot);
  // Of several hosts the broken one may be that of the request: nobody knows it then.
  const hasHost = (own.config['match'] as { readonly host?: unknown }).host !== undefined;
  if (got !== '503' && !(hasHost && got === '404'))
    throw new Error(`What was to be refused with route ${index} went to ${got}`);
}

function compiled(loaded: LoadResult, tolerance: Tolerance): Pick<Compiled, 'snapshot' | 'quarantined'> | null {
  const part = servable(loaded);
  if (part === null) return null;
  const result = compileOnly(part, { tolerance });
  return result.ok ? result : null;
}

function askFor(routes: readonly SiteRoute[], snapshot: Snapshot): void {
  for (const route of routes) {
    const got = ask(route, snapshot);
    if (got !== `${route.pool}.test`) throw new Error(`What belongs to ${route.config['name']} went to ${got}`);
  }
}

/** Which host was asked for it, or the status that it was answered with. */
function ask({ request }: SiteRoute, snapshot: Snapshot): string {
  const transport = new ScriptedTransport();
  const engine = scriptedEngine(snapshot, { transport, clock: new ManualClock(), finished: () => {} });
  const { method, path: target, authority } = request;
  const client = new ScriptedClient({ method, target, authority, headers: ['Host', authority, ...request.headers] });
  engine.handle(client.exchange);
  const hosts = transport.attempts.map(({ attempt }) => getHeader(attempt.headers, 'host'));
  client.leave();
  return hosts[0] ?? `${client.head?.status}`;
}
