import type { Config } from '../../config/schema/config.ts';
import { POLICY_KEYS, type PolicyKey } from '../../config/schema/policy/policy-set.ts';
import type { RouteConfig } from '../../config/schema/route.ts';
import { type AdmitPhase, type AdmitPolicy, inOrder } from '../../policy/admit.ts';
import { INBOUND_PHASES } from '../../policy/inbound.ts';
import type { PolicyPlan, RoutePolicies } from '../../policy/policy-plan.ts';
import type { PolicyState } from '../../policy/policy-state.ts';
import type { CompilerComplaint, Complaints, KeyPath } from '../complaints.ts';
import type { Ledger } from '../ledger.ts';
import { type KeptFile, WatchedFile } from './kept-file.ts';
import { KINDS } from './kinds.ts';
import type { PolicyContext, PolicyKind, PolicyParts } from './policy-kind.ts';
import { groupPlace, type PolicyPlace, placesOf, type StandingPolicy, standing } from './standing.ts';

interface PlacedComplaint {
  readonly path: KeyPath;
  readonly complaint: CompilerComplaint;
}

interface CompilerParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly complaints: Complaints;
}

/** What routes have in their own plans, after everything that groups say: it may name what their paths capture. */
const IN_ROUTE_PLANS: ReadonlySet<PolicyKey> = new Set(['requestHeaders', 'responseHeaders']);

/** Compiles the policies of groups, once, and puts together what holds on a route or a listener. */
export class PolicyCompiler {
  readonly #parts: CompilerParts;
  /** By owner and key; `null` after a complaint. */
  readonly #compiled = new Map<string, PolicyParts | null>();
  /** Of policies of groups that something outside of the configuration keeps from working, by the same: it takes the routes that have them out of service. */
  readonly #spoilt = new Map<string, readonly PlacedComplaint[]>();

  constructor(parts: CompilerParts) {
    this.#parts = parts;
    // Mistakes in a group are told whoever includes it.
    for (const [name, set] of Object.entries(parts.config.policies)) this.#joined([groupPlace(name, set)]);
  }

  /** What holds on a route, by listener; `null` where it is nothing. */
  ofRoute(route: RouteConfig, { path, owner, captures }: Omit<PolicyPlace, 'set'>): RoutePolicies | null {
    const { config } = this.#parts;
    const set = Object.fromEntries(
      POLICY_KEYS.filter((key) => !IN_ROUTE_PLANS.has(key)).map((key) => [key, route[key]]),
    );
    const own = { use: route.use, place: { path, owner, captures, set } };
    const listeners = Object.entries(config.listeners).filter(
      ([name, { use }]) => use !== undefined && (route.listeners ?? [name]).includes(name),
    );
    const base = this.#joined(placesOf(config, own, null));
    const on = new Map(listeners.map(([name]) => [name, this.#joined(placesOf(config, own, name))]));
    this.#tellSpoilt(
      path,
      [null, ...on.keys()].flatMap((listener) => standing(placesOf(config, own, listener))),
    );
    return base === null && on.size === 0 ? null : { base, on: on.size === 0 ? null : on };
  }

  /** What holds on a listener where no route takes a request. */
  ofListener(name: string): PolicyPlan | null {
    return this.#joined(placesOf(this.#parts.config, null, name));
  }

  /** A route can't do without what a group was to protect it by. */
  #tellSpoilt(path: KeyPath, policies: readonly StandingPolicy[]): void {
    for (const id of new Set(policies.map(idOf))) {
      for (const { complaint } of this.#spoilt.get(id) ?? []) this.#parts.complaints.add(path, complaint);
    }
  }

  #joined(places: readonly PolicyPlace[]): PolicyPlan | null {
    return joined(standing(places).flatMap((policy) => this.#part(policy) ?? []));
  }

  #part(policy: StandingPolicy): PolicyParts | null {
    const id = idOf(policy);
    const known = this.#compiled.get(id);
    if (known !== undefined) return known;
    const told: PlacedComplaint[] = [];
    const parts = this.#compile(policy, (path, complaint) => told.push({ path, complaint }));
    this.#compiled.set(id, parts);
    const isSpoilt = parts === null && told.every(({ complaint }) => complaint.outside === true);
    if (isSpoilt && this.#isUsed(policy.place)) this.#spoilt.set(id, told);
    else for (const { path, complaint } of told) this.#parts.complaints.add(path, complaint);
    return parts;
  }

  /** By some route: else nobody would hear of what is wrong with it. */
  #isUsed({ path: [section, name] }: PolicyPlace): boolean {
    if (section !== 'policies') return false;
    const { routes, listeners } = this.#parts.config;
    const includes = ({ use }: { readonly use?: readonly string[] | undefined }): boolean =>
      use?.includes(String(name)) === true;
    return routes.some(includes) || (routes.length > 0 && Object.values(listeners).some(includes));
  }

  #compile(
    { key, config, place: { path, owner, captures } }: StandingPolicy,
    complain: (path: KeyPath, complaint: CompilerComplaint) => void,
  ): PolicyParts | null {
    const { ledger, config: whole } = this.#parts;
    const states: PolicyState[] = [];
    const used = <T extends PolicyState>(state: T): T => {
      states.push(state);
      return state;
    };
    const context: PolicyContext = {
      config: whole,
      ...{ owner, captures, world: ledger.world, secrets: ledger.secrets },
      complain: (inner, complaint) => complain([...path, key, ...inner], complaint),
      state: (id, create) => used(ledger.policyState(id, create)),
      whenServed: (tell) => ledger.whenServed(tell),
      file: (file, inner, parse) => {
        const problem = (complaint: CompilerComplaint): void => complain([...path, key, ...inner], complaint);
        const kept = this.#file({ file, policy: key, owner, inner }, parse, problem);
        return kept === null ? null : used(kept);
      },
    };
    // The registry is typed key by key, which a loop over the keys can't say.
    const parts = (KINDS[key] as PolicyKind<unknown>).compile(config, context);
    return parts === null || states.length === 0 ? parts : { ...parts, states: [...(parts.states ?? []), ...states] };
  }

  #file<T>(
    where: {
      readonly file: string;
      readonly policy: string;
      readonly owner: string;
      readonly inner: KeyPath;
    },
    parse: (content: Buffer) => T,
    complain: (complaint: CompilerComplaint) => void,
  ): KeptFile<T> | null {
    const { ledger } = this.#parts;
    const { file, policy, owner, inner } = where;
    const { clock, observer } = ledger.world;
    // Two keys of a policy may name one file, and find different things in it.
    const id = `file ${policy}.${inner.join('.')} ${owner} ${file}`;
    try {
      return ledger.policyState(
        id,
        () => new WatchedFile({ ...{ id, policy, owner, path: file, parse }, clock, observer }),
      );
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      complain({
        ...(code === undefined ? {} : { code: 'HG0101' }),
        message: `cannot use ${file}: ${code ?? message}`,
        outside: true,
      });
      return null;
    }
  }
}

function idOf({ key, place }: StandingPolicy): string {
  return `${place.owner} ${key}`;
}

function joined(parts: readonly PolicyParts[]): PolicyPlan | null {
  if (parts.length === 0) return null;
  const edits = parts.flatMap(({ editRequest }) => editRequest ?? []);
  const transforms = parts.flatMap(({ transform }) => transform ?? []);
  const inbound = parts
    .flatMap((part) => part.inbound ?? [])
    .sort((a, b) => INBOUND_PHASES.indexOf(a.phase) - INBOUND_PHASES.indexOf(b.phase));
  return {
    admit: inOrder(byPhase(parts.flatMap(({ admit }) => admit ?? []))),
    editRequest:
      edits.length === 0
        ? null
        : (draft, variables) => {
            for (const edit of edits) edit(draft, variables);
          },
    inbound: inbound.length === 0 ? null : inbound,
    transforms: transforms.length === 0 ? null : transforms,
    servedInMaintenance: parts.find(({ servedInMaintenance }) => servedInMaintenance)?.servedInMaintenance ?? null,
    errorPages: parts.find(({ errorPages }) => errorPages !== undefined)?.errorPages ?? null,
    bodyLimitBytes: parts.find(({ bodyLimitBytes }) => bodyLimitBytes !== undefined)?.bodyLimitBytes ?? null,
    states: parts.flatMap(({ states }) => states ?? []),
    identityFields: parts.flatMap(({ identityFields }) => identityFields ?? []).map((name) => name.toLowerCase()),
  };
}

function byPhase(policies: readonly AdmitPolicy[]) {
  const sorted: { [Phase in AdmitPhase]?: AdmitPolicy<Phase>[] } = {};
  for (const policy of policies) {
    // Each goes where its own phase says.
    const phase: AdmitPolicy[] = (sorted[policy.phase] as AdmitPolicy[] | undefined) ?? [];
    phase.push(policy);
    Object.assign(sorted, { [policy.phase]: phase });
  }
  return sorted;
}
