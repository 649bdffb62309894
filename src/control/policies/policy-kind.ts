import type { Config } from '../../config/schema/config.ts';
import type { HeaderDraft } from '../../http/headers.ts';
import type { AdmitPolicy } from '../../policy/admit.ts';
import type { BodyTransform } from '../../policy/body-transform.ts';
import type { ErrorPages } from '../../policy/error-pages.ts';
import type { InboundPolicy } from '../../policy/inbound.ts';
import type { PolicyState } from '../../policy/policy-state.ts';
import type { Variables } from '../../policy/variables.ts';
import type { CommonSecrets } from '../common-secrets.ts';
import type { CompilerComplaint, KeyPath } from '../complaints.ts';
import type { KeptFile } from './kept-file.ts';
import type { PolicyWorld } from './policy-world.ts';

/** Where a policy stands, and what it is made with. Compiling touches no socket and no timer. */
export interface PolicyContext {
  readonly config: Config;
  readonly world: PolicyWorld;
  /** What signs and seals, the same in every process that serves the same clients. */
  readonly secrets: CommonSecrets;
  /** Whose it is, and what its live state is known by: `route shop`, `group staff`. */
  readonly owner: string;
  /** What the path of the route captures; none in a group. */
  readonly captures: readonly string[];
  /** `path`: keys from the policy's own value: `['allow', 0]`. */
  complain(path: KeyPath, complaint: CompilerComplaint): void;
  /** Live state by its id: what is known under it, else what `create` makes. It goes into `states` of what is compiled. */
  state<T extends PolicyState>(id: string, create: () => T): T;
  /** Called if what is compiled is served: for kept state to take over options. */
  whenServed(tell: () => void): void;
  /**
   * What a file holds, and will hold: it is looked at again every few seconds while it is used, and what can't be used then leaves the last good
   * content in force. `null` after a complaint at `path`. `parse` throws an error with a message for people. It goes into `states` too.
   */
  file<T>(file: string, path: KeyPath, parse: (content: Buffer) => T): KeptFile<T> | null;
}

/** What a policy compiles to: only what it needs. */
export interface PolicyParts {
  readonly admit?: readonly AdmitPolicy[];
  readonly inbound?: readonly InboundPolicy[];
  readonly editRequest?: (draft: HeaderDraft, variables: Variables) => void;
  readonly transform?: BodyTransform;
  readonly errorPages?: ErrorPages;
  readonly servedInMaintenance?: (address: string) => boolean;
  readonly bodyLimitBytes?: number;
  readonly states?: readonly PolicyState[];
  /** Names of fields by which endpoints are told who it is: no client may send them, on any route. */
  readonly identityFields?: readonly string[];
}

/** A kind of policy: one key of a route or a group. */
export interface PolicyKind<C> {
  /** Where a route gets it from several places: what stands nearest to it counts (its own, then the last group, then the listener’s), or all do, the farthest first. */
  readonly merge: 'nearest' | 'all';
  /** `null` after a complaint. */
  readonly compile: (config: C, context: PolicyContext) => PolicyParts | null;
  /** As `headgate explain` says it; nothing secret. */
  readonly words: (config: C) => string;
}
