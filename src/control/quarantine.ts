import type { Diagnostic } from '../config/config-error.ts';
import type { Origins } from '../config/origins.ts';
import { type Part, partOf } from '../config/part.ts';
import type { RouteEffect } from '../config/salvage-route.ts';
import type { Config } from '../config/schema/config.ts';
import type { Faults } from '../config/sound-part.ts';
import type { CertificateStatus } from './certificates/certificate-status.ts';
import type { Complained, Complaints } from './complaints.ts';
import { type Tolerance, tolerates } from './tolerance.ts';

export type QuarantineKind = 'route' | 'pool' | 'certificate';

/**
 * `kept`: a pool that serves with what its files held when they could be read. `reduced`: a route that does without what is broken. `refused`: requests to a route or a pool are answered with 503, handshakes for
 * the names of a certificate are refused. `left-out`: a route whose requests nobody can tell. `never-chosen`: a route that no
 * request ever gets to.
 */
export type QuarantineEffect = RouteEffect | 'kept' | 'never-chosen';

/** One thing that is wrong with a part of the configuration which is out of service for it. */
export interface Quarantined extends Diagnostic {
  readonly kind: QuarantineKind;
  /** Of the route or the pool; the file of a certificate. */
  readonly name: string;
  readonly effect: QuarantineEffect;
}

/** What a running gateway says of it. Plain data, nothing secret. */
export type QuarantineStatus = Pick<
  Quarantined,
  'kind' | 'name' | 'effect' | 'file' | 'line' | 'column' | 'code' | 'message'
>;

/** What is out of service now: certificates may have become good since the configuration was compiled. */
export function quarantineStatus(
  quarantined: readonly Quarantined[],
  certificates: readonly CertificateStatus[],
): readonly QuarantineStatus[] {
  const broken = new Set(certificates.flatMap(({ from, state }) => (state === 'quarantined' ? [from] : [])));
  return quarantined
    .filter(({ kind, name }) => kind !== 'certificate' || broken.has(name))
    .map(({ kind, name, effect, file, line, column, code, message }) => {
      return { kind, name, effect, file, line, column, code, message };
    });
}

export interface QuarantineInput {
  readonly config: Config;
  readonly origins: Origins;
  readonly complaints: Complaints;
  readonly faults: Faults;
  /** By place in the configuration. */
  readonly effects: ReadonlyMap<number, RouteEffect>;
  /** Pools that serve all the same. */
  readonly kept: ReadonlySet<string>;
  readonly tolerance: Tolerance;
  /** What is out of service already. */
  readonly quarantinedBefore: readonly Quarantined[];
}

export type Judgement =
  | { readonly ok: true; readonly quarantined: readonly Quarantined[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** The one place that decides whether a configuration with something wrong in it serves. */
export function judge(input: QuarantineInput): Judgement {
  const { complaints, tolerance, quarantinedBefore } = input;
  const known = Map.groupBy(quarantinedBefore, identityOf);
  const isAsBefore = (one: Quarantined): boolean =>
    known.get(identityOf(one))?.some(({ effect }) => RANKS[effect] >= RANKS[one.effect]) === true;
  const entries = [...entriesOfFaults(input), ...complaints.all.map((one) => entryOf(one, input))];
  const refused = entries.some(
    ({ quarantined, outside }) =>
      quarantined === null || !tolerates(tolerance, { outside, before: isAsBefore(quarantined) }),
  );
  if (refused) {
    const diagnostics = entries.map(({ diagnostic }) => diagnostic);
    return { ok: false, diagnostics: inOrder(distinct(diagnostics, () => '')) };
  }
  const quarantined = entries.flatMap((entry) => entry.quarantined ?? []);
  return { ok: true, quarantined: inOrder(distinct(quarantined, partKey)) };
}

/** How much it takes from whom: what goes on could be worse, and of what is left out requests may go elsewhere. */
const RANKS: Readonly<Record<QuarantineEffect, number>> = {
  kept: 0,
  'never-chosen': 0,
  reduced: 0,
  refused: 1,
  'left-out': 2,
};

function partKey({ kind, name }: Quarantined): string {
  return `${kind} ${name}`;
}

/** Of routes without a name: what they match, which is told nobody. Their places move with every line that is written above them. */
const identities = new WeakMap<Quarantined, string>();

/** By which the same part is found in the next configuration. */
function identityOf(one: Quarantined): string {
  return identities.get(one) ?? partKey(one);
}

interface Entry {
  readonly diagnostic: Diagnostic;
  /** `null` for what makes the whole configuration unusable. */
  readonly quarantined: Quarantined | null;
  readonly outside: boolean;
}

function entriesOfFaults(input: QuarantineInput): Entry[] {
  const { routes, pools } = input.faults;
  const entry = (diagnostic: Diagnostic, part: Part): Entry => ({
    diagnostic,
    quarantined: quarantinedOf(diagnostic, part, input),
    outside: false,
  });
  return [
    ...[...routes].flatMap(([index, fault]) => fault.diagnostics.map((one) => entry(one, { kind: 'route', index }))),
    ...[...pools].flatMap(([name, diagnostics]) => diagnostics.map((one) => entry(one, { kind: 'pool', name }))),
  ];
}

function entryOf({ path, diagnostic, outside, certificate }: Complained, input: QuarantineInput): Entry {
  if (certificate !== null) {
    return {
      diagnostic,
      quarantined: { ...diagnostic, kind: 'certificate', name: certificate, effect: 'refused' },
      outside,
    };
  }
  const part = partOf(path);
  return { diagnostic, quarantined: part === null ? null : quarantinedOf(diagnostic, part, input), outside };
}

function quarantinedOf(diagnostic: Diagnostic, part: Part, input: QuarantineInput): Quarantined {
  const one = { ...diagnostic, ...describe(part, input) };
  const route = part.kind === 'route' ? input.config.routes[part.index] : undefined;
  if (route === undefined || route.name !== undefined) return one;
  // Nothing is left of one that is left out.
  const reason = one.effect === 'left-out' ? one.message : '';
  identities.set(one, `route ${JSON.stringify([route.listeners, route.match, reason])}`);
  return one;
}

function describe(
  part: Part,
  { config, origins, effects, kept }: QuarantineInput,
): Pick<Quarantined, 'kind' | 'name' | 'effect'> {
  if (part.kind === 'pool') return { ...part, effect: kept.has(part.name) ? 'kept' : 'refused' };
  const name = config.routes[part.index]?.name ?? origins.where(['routes', part.index]);
  return { kind: 'route', name, effect: effects.get(part.index) ?? 'never-chosen' };
}

/** What two checks found alike of the same thing is told once. */
function distinct<D extends Diagnostic>(diagnostics: readonly D[], about: (diagnostic: D) => string): readonly D[] {
  const seen = new Set<string>();
  return diagnostics.filter((one) => {
    const key = `${one.file}:${one.line}:${one.column}:${one.message} ${about(one)}`;
    return !seen.has(key) && seen.add(key);
  });
}

function inOrder<D extends Diagnostic>(diagnostics: readonly D[]): readonly D[] {
  return diagnostics.toSorted((a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line || a.column - b.column);
}
