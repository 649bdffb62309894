import type { Config } from '../../config/schema/config.ts';
import { POLICY_KEYS, type PolicyKey } from '../../config/schema/policy/policy-set.ts';
import type { RouteConfig } from '../../config/schema/route.ts';
import { type AdmitPhase, type AdmitPolicy, inOrder } from '../../policy/admit.ts';
import { INBOUND_PHASES } from '../../policy/inbound.ts';
import type { PolicyPlan, RoutePolicies } from '../../policy/policy-plan.ts';
import type { PolicyState } from '../../policy/policy-state.ts';
import type { Complaints, KeyPath } from '../complaints.ts';
import type { Ledger } from '../ledger.ts';
import { type KeptFile, WatchedFile } from './kept-file.ts';
import { KINDS } from './kinds.ts';
import type { PolicyContext, PolicyKind, PolicyParts } from './policy-kind.ts';
import { groupPlace, type PolicyPlace, placesOf, type StandingPolicy, standing } from './standing.ts';

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
    return base === null && on.size === 0 ? null : { base, on: on.size === 0 ? null : on };
  }

  /** What holds on a listener where no route takes a request. */
  ofListener(name: string): PolicyPlan | null {
    return this.#joined(placesOf(this.#parts.config, null, name));
  }

  #joined(places: readonly PolicyPlace[]): PolicyPlan | null {
    return joined(standing(places).flatMap((policy) => this.#part(policy) ?? []));
  }

  #part(policy: StandingPolicy): PolicyParts | null {
    const id = `${policy.place.owner} ${policy.key}`;
    const known = this.#compiled.get(id);
    if (known !== undefined) return known;
    const parts = this.#compile(policy);
    this.#compiled.set(id, parts);
    return parts;
  }

  #compile({ key, config, place: { path, owner, captures } }: StandingPolicy): PolicyParts | null {
    const { ledger, complaints, config: whole } = this.#parts;
    const states: PolicyState[] = [];
    const used = <T extends PolicyState>(state: T): T => {
      states.push(state);
      return state;
    };
    const context: PolicyContext = {
      config: whole,
      ...{ owner, captures, world: ledger.world, secrets: ledger.secrets },
      complain: (inner, complaint) => complaints.add([...path, key, ...inner], complaint),
      state: (id, create) => used(ledger.policyState(id, create)),
      whenServed: (tell) => ledger.whenServed(tell),
      file: (file, inner, parse) => {
        const kept = this.#file({ file, policy: key, owner, place: [...path, key], inner }, parse);
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
      readonly place: KeyPath;
      readonly inner: KeyPath;
    },
    parse: (content: Buffer) => T,
  ): KeptFile<T> | null {
    const { ledger, complaints } = this.#parts;
    const { file, policy, owner, place, inner } = where;
    const { clock, observer } = ledger.world;
    // Two keys of a policy may name one file, and find different things in it.
    const id = `file ${policy}.${inner.join('.')} ${owner} ${file}`;
    try {
      const kept = ledger.policyState(
        id,
        () => new WatchedFile({ ...{ id, policy, owner, path: file, parse }, clock, observer }),
      );
      ledger.whenServed(() => void kept.look());
      return kept;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      complaints.add([...place, ...inner], {
        ...(code === undefined ? {} : { code: 'HG0101' }),
        message: `cannot use ${file}: ${code ?? message}`,
        outside: true,
      });
      return null;
    }
  }
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
