import type { GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import type { Identity } from './identity.ts';
import type { Variables } from './variables.ts';

/**
 * What happens to a request between the choice of its route and the work of that route, in this order, whatever the order in the files
 * (docs/policies.md). The cheap comes before the dear, and what any stranger may ask for before what is asked of known users:
 * who is refused by an earlier phase costs nothing of a later one.
 */
export const ADMIT_PHASES = [
  'maintenance',
  'limits',
  'paths',
  'access',
  'guards',
  'cors',
  'csrf',
  'rateLimit',
  'auth',
  /** Rate limits whose key says who it is. */
  'identityRateLimit',
  /** Rules on claims and on whoever is authenticated. */
  'authorization',
  'concurrency',
  'requestBody',
] as const;

export type AdmitPhase = (typeof ADMIT_PHASES)[number];

/** A request as policies see it, and what they may do to it. */
export interface PolicyRequest extends Variables {
  /** Who it is; `null` before the phase `auth`, and for who need not say. Set by that phase alone. */
  identity: Identity | null;
  /** Monotonic milliseconds, and epoch milliseconds, of its begin. */
  readonly startedAt: number;
  readonly startedAtEpoch: number;
  /** Nobody has sent it: it is asked what would be done. Nothing may be counted, taken, sent or kept. */
  readonly hypothetical: boolean;
  /** As it goes on from here, also to the cache: credentials are taken out of it. */
  query: string | null;
  /** What is to be forwarded; a policy that reads some of it puts a source in its place that begins with what was read. */
  requestBody: BodySource;
  /** For the access log: enumerated, as `rate-limit-exceeded:api` of a limit that only watches. At most 8 are kept. */
  note(text: string): void;
  /** A field of the response, whoever makes it. Octets without control characters. */
  addResponseField(name: string, value: string): void;
  /** Called once when the exchange is over, however it ends. */
  atEnd(release: () => void): void;
}

/** A policy's "no", or an answer of its own, or that it has to wait. "Go on" is `null`. */
export type Verdict =
  | { readonly kind: 'refuse'; readonly error: GatewayError }
  | { readonly kind: 'reply'; readonly reply: LocalReply }
  | { readonly kind: 'consult'; readonly consultation: Consultation };

/** What a policy waits for. Bounded by its own timeout. */
export interface Consultation {
  /** Who is asked, for people: `auth service http://10.0.0.9/check`. */
  readonly whom: string;
  /** `done` is called once, also before this returns; never with another `consult` of the same policy without end. Must not throw. */
  begin(done: (verdict: Verdict | null) => void): void;
  /** The client is gone: `done` need not be called any more, and does nothing if it is. */
  cancel(): void;
}

/** One policy, compiled. */
export interface AdmitPolicy<Phase extends AdmitPhase = AdmitPhase> {
  readonly phase: Phase;
  /** As logs, metrics and explanations call it: the key in the configuration. */
  readonly policy: string;
  /** Hot. May throw only for a bug. */
  admit(request: PolicyRequest): Verdict | null;
}

/** Policies by phase: one that stands in a phase that is not its own does not compile. */
export type AdmitPolicies = { readonly [Phase in AdmitPhase]?: readonly AdmitPolicy<Phase>[] };

/** In the order of the phases; `null` for none. */
export function inOrder(policies: AdmitPolicies): readonly AdmitPolicy[] | null {
  const all = ADMIT_PHASES.flatMap((phase): readonly AdmitPolicy[] => policies[phase] ?? []);
  return all.length === 0 ? null : all;
}
