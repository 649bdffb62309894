import type { $ZodIssue } from 'zod/v4/core';
import type { Diagnostic } from './config-error.ts';
import { type Fault, partOf } from './part.ts';
import { type Broken, type RouteEffect, salvageRoute, withoutDeeds, worseEffect } from './salvage-route.ts';
import { type Config, config } from './schema/config.ts';
import type { Path } from './source-tree.ts';

type Data = Record<string, unknown>;

/** What is wrong with routes and pools, one by one. */
export interface Faults {
  /** By place in the configuration. */
  readonly routes: ReadonlyMap<number, RouteFault>;
  readonly pools: ReadonlyMap<string, readonly Diagnostic[]>;
}

export interface RouteFault {
  readonly diagnostics: readonly Diagnostic[];
  readonly effect: RouteEffect;
  /** The keys of what it goes on without. */
  readonly without: readonly string[];
}

export const NO_FAULTS: Faults = { routes: new Map(), pools: new Map() };

/** What is left of a configuration when everything that is wrong is taken out of it. */
export interface SoundPart {
  /** Routes keep their numbers: what can't be saved of one has something in its place that means nothing. */
  readonly config: Config;
  readonly faults: Faults;
}

/** Everything that is wrong with a configuration. */
export interface Wrongs {
  /** What the schemas refuse. */
  readonly issues: readonly $ZodIssue[];
  /** The same in words. */
  readonly told: readonly Fault[];
  /** What else is wrong. */
  readonly faults: readonly Fault[];
}

/** Takes out all that is wrong in `plain`; `null` when nothing can be made of the rest. */
export function soundPart(plain: unknown, { issues, told, faults }: Wrongs): SoundPart | null {
  const rest = structuredClone(plain) as Data;
  for (const issue of issues) if (partOf(pathOf(issue)) === null) takeOut(rest, issue);
  const diagnostics = diagnosticsByPart([...told, ...faults]);
  const routes = new Map<number, RouteFault>();
  for (const [index, broken] of brokenInRoutes(issues, faults)) {
    const list = rest['routes'] as unknown[];
    const { effect, route, without } = salvageRoute(list[index], broken);
    list[index] = route;
    routes.set(index, { diagnostics: diagnostics.routes.get(index) ?? [], effect, without });
  }
  for (const issue of issues) {
    const part = partOf(pathOf(issue));
    if (part?.kind === 'pool') delete (rest['pools'] as Data)[part.name];
  }
  const parsed = parseRest(rest, routes);
  return parsed === null ? null : { config: parsed, faults: { routes, pools: diagnostics.pools } };
}

/** Rules between the keys of a route may object to what is left of it: then it only stands where it stood, and then not even that. */
function parseRest(rest: Data, routes: Map<number, RouteFault>): Config | null {
  for (const reduce of [withoutDeeds, () => ({ respond: {} })]) {
    const parsed = config.safeParse(rest);
    if (parsed.success) return parsed.data;
    const list = rest['routes'] as Data[];
    for (const issue of parsed.error.issues) {
      const part = partOf(pathOf(issue));
      const fault = part?.kind === 'route' ? routes.get(part.index) : undefined;
      if (part?.kind !== 'route' || fault === undefined) return null;
      list[part.index] = reduce(list[part.index] as Data);
      const effect = worseEffect(fault.effect, reduce === withoutDeeds ? 'refused' : 'left-out');
      routes.set(part.index, { ...fault, effect });
    }
  }
  const parsed = config.safeParse(rest);
  return parsed.success ? parsed.data : null;
}

function brokenInRoutes(issues: readonly $ZodIssue[], faults: readonly Fault[]): ReadonlyMap<number, Broken[]> {
  const broken = new Map<number, Broken[]>();
  const add = (path: Path, unreadable: boolean): void => {
    const part = partOf(path);
    if (part?.kind !== 'route') return;
    const known = broken.get(part.index) ?? [];
    broken.set(part.index, known);
    known.push({ path: path.slice(2), unreadable });
  };
  for (const issue of issues) for (const path of pathsOf(issue)) add(path, true);
  for (const { at } of faults) if (at !== null) add(at, false);
  return broken;
}

function diagnosticsByPart(faults: readonly Fault[]): {
  routes: Map<number, Diagnostic[]>;
  pools: Map<string, Diagnostic[]>;
} {
  const routes = new Map<number, Diagnostic[]>();
  const pools = new Map<string, Diagnostic[]>();
  for (const { at, diagnostic } of faults) {
    const part = at === null ? null : partOf(at);
    if (part?.kind === 'route') routes.set(part.index, [...(routes.get(part.index) ?? []), diagnostic]);
    if (part?.kind === 'pool') pools.set(part.name, [...(pools.get(part.name) ?? []), diagnostic]);
  }
  return { routes, pools };
}

function takeOut(rest: Data, issue: $ZodIssue): void {
  const [section, key] = pathOf(issue).map(String);
  if (section === undefined) {
    if (issue.code === 'unrecognized_keys') for (const unknown of issue.keys) delete rest[unknown];
    return;
  }
  const content = rest[section] as Data | undefined;
  if (key === undefined || content === undefined) delete rest[section];
  else delete content[key];
}

export function pathOf(issue: $ZodIssue): Path {
  return issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

/** What an issue is about: unknown keys one by one, and within a union what the alternative that fits best objects to. */
function pathsOf(issue: $ZodIssue): Path[] {
  const path = pathOf(issue);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...path, key]);
  if (issue.code !== 'invalid_union') return [path];
  const inside = issue.errors.find((branch) => branch.length > 0 && branch.every((inner) => inner.path.length > 0));
  if (inside === undefined) return [path];
  return inside.flatMap((inner) => pathsOf(inner).map((rest) => [...path, ...rest]));
}
