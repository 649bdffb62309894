import type { Config } from '../../config/schema/config.ts';
import { POLICY_KEYS, type PolicyKey, type PolicySetConfig } from '../../config/schema/policy/policy-set.ts';
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

/** Policies as they stand in one place, each compiled; `off` switches off what stands further away. */
type Compiled = ReadonlyMap<PolicyKey, PolicyParts | 'off'>;

/** Where policies stand: on a route, or in a group. */
interface Place {
  readonly path: KeyPath;
  readonly owner: string;
  readonly captures: readonly string[];
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
  readonly #groups = new Map<string, Compiled>();

  constructor(parts: CompilerParts) {
    this.#parts = parts;
    for (const [name, set] of Object.entries(parts.config.policies)) {
      const place = { path: ['policies', name], owner: `group ${name}`, captures: [] };
      this.#groups.set(name, this.#compile(set, place, POLICY_KEYS));
    }
  }

  /** What holds on a route, by listener; `null` where it is nothing. */
  ofRoute(route: RouteConfig, place: Place): RoutePolicies | null {
    const own = this.#compile(
      route,
      place,
      POLICY_KEYS.filter((key) => !IN_ROUTE_PLANS.has(key)),
    );
    const included = this.#included(route.use);
    const base = joined([...included, own]);
    const listeners = Object.entries(this.#parts.config.listeners).filter(
      ([name, { use }]) => use !== undefined && (route.listeners ?? [name]).includes(name),
    );
    const on = new Map(
      listeners.map(([name, { use }]) => {
        // One that a route includes too has its place there.
        const first = this.#included(use).filter((group) => !included.includes(group));
        return [name, joined([...first, ...included, own])];
      }),
    );
    return base === null && on.size === 0 ? null : { base, on: on.size === 0 ? null : on };
  }

  /** What holds on a listener where no route takes a request. */
  ofListener(name: string): PolicyPlan | null {
    return joined(this.#included(this.#parts.config.listeners[name]?.use));
  }

  /** Unknown names were refused when the configuration was loaded. */
  #included(use: readonly string[] = []): readonly Compiled[] {
    return [...new Set(use)].flatMap((name) => this.#groups.get(name) ?? []);
  }

  #compile(set: Readonly<Partial<PolicySetConfig>>, place: Place, keys: readonly PolicyKey[]): Compiled {
    const compiled = new Map<PolicyKey, PolicyParts | 'off'>();
    for (const key of keys) {
      const config: unknown = set[key];
      if (config === undefined) continue;
      if (config === false) compiled.set(key, 'off');
      else {
        const parts = this.#part(key, config, place);
        if (parts !== null) compiled.set(key, parts);
      }
    }
    return compiled;
  }

  #part(key: PolicyKey, config: unknown, { path, owner, captures }: Place): PolicyParts | null {
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
        const kept = this.#file({ file, policy: key, owner, path: [...path, key, ...inner] }, parse);
        return kept === null ? null : used(kept);
      },
    };
    // The registry is typed key by key, which a loop over the keys can't say.
    const parts = (KINDS[key] as PolicyKind<unknown>).compile(config, context);
    return parts === null || states.length === 0 ? parts : { ...parts, states: [...(parts.states ?? []), ...states] };
  }

  #file<T>(
    where: { readonly file: string; readonly policy: string; readonly owner: string; readonly path: KeyPath },
    parse: (content: Buffer) => T,
  ): KeptFile<T> | null {
    const { ledger, complaints } = this.#parts;
    const { file, policy, owner } = where;
    const { clock, observer } = ledger.world;
    const id = `file ${policy} ${owner} ${file}`;
    try {
      const kept = ledger.policyState(
        id,
        () => new WatchedFile({ ...{ id, policy, owner, path: file, parse }, clock, observer }),
      );
      ledger.whenServed(() => void kept.look());
      return kept;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      complaints.add(where.path, {
        ...(code === undefined ? {} : { code: 'HG0101' }),
        message: `cannot use ${file}: ${code ?? message}`,
        outside: true,
      });
      return null;
    }
  }
}

/** The farthest first. */
function joined(places: readonly Compiled[]): PolicyPlan | null {
  const parts = POLICY_KEYS.flatMap((key) => counting(key, places));
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
    errorPages: parts.find(({ errorPages }) => errorPages !== undefined)?.errorPages ?? null,
    bodyLimitBytes: parts.find(({ bodyLimitBytes }) => bodyLimitBytes !== undefined)?.bodyLimitBytes ?? null,
    states: parts.flatMap(({ states }) => states ?? []),
    identityFields: parts.flatMap(({ identityFields }) => identityFields ?? []).map((name) => name.toLowerCase()),
  };
}

/** What counts of a policy that may stand in several places. */
function counting(key: PolicyKey, places: readonly Compiled[]): readonly PolicyParts[] {
  const found = places.flatMap((place) => place.get(key) ?? []);
  const off = found.lastIndexOf('off');
  const on = found.slice(off + 1).filter((part) => part !== 'off');
  return KINDS[key].merge === 'all' ? on : on.slice(-1);
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
