import type { CachePolicy } from '../cache/policy.ts';
import type { SharedCache } from '../cache/shared-cache.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import type { HeaderDraft } from '../http/headers.ts';
import type { PathPolicy } from '../http/target.ts';
import type { LocationRewrite } from '../policy/location.ts';
import type { PolicyPlan, RoutePolicies } from '../policy/policy-plan.ts';
import type { PolicyState } from '../policy/policy-state.ts';
import type { Variables } from '../policy/variables.ts';
import type { RouteRequest } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { ServerNames } from '../routing/server-names.ts';
import type { Importance } from '../upstream/limit/importance.ts';
import type { MirrorLive } from '../upstream/mirror-live.ts';
import type { Pool } from '../upstream/pool.ts';
import type { RetryPolicy } from '../upstream/retry.ts';
import type { Split } from '../upstream/split.ts';
import type { BodyMatching } from './body-prefix.ts';
import type { FallbackPlan } from './fallback.ts';
import type { MaintenanceSwitch } from './maintenance.ts';
import type { MirrorPlan } from './mirror.ts';
import type { TracePlan } from './trace.ts';

/** Makes a reply of Headgate's own from the facts of a request. */
export type MakeReply = (variables: Variables) => LocalReply;

/** Everything a route does, compiled. A phase with nothing to do is `null` and costs one test. */
export interface RoutePlan {
  readonly action: RouteAction;
  /** `null` for none, its own and those of groups and listeners. */
  readonly policies: RoutePolicies | null;
  readonly rewritePath: ((path: string, variables: Variables) => string) | null;
  readonly editQuery: ((query: string | null, variables: Variables) => string | null) | null;
  readonly editRequest: ((draft: HeaderDraft, variables: Variables) => void) | null;
  readonly rewriteLocation: LocationRewrite | null;
  readonly editCookies: ((draft: HeaderDraft) => void) | null;
  readonly editResponse: ((draft: HeaderDraft, variables: Variables) => void) | null;
  readonly timeouts: RouteTimeouts;
  readonly retry: RetryPolicy;
  /** Whether it is in service. */
  readonly maintenance: MaintenanceSwitch;
  /** Where not all can be served. */
  readonly importance: Importance;
  readonly cache: CachePolicy | null;
  /** Whose requests with the method PURGE purge what is stored for their URI; `null`: that method means nothing here. */
  readonly purge: ((clientAddress: string) => boolean) | null;
  /** Requests that the cache is not asked for, and whose responses it does not get. */
  readonly bypassCache: ((request: RouteRequest) => boolean) | null;
  /** What the path or the query upstream is made of may be a secret. */
  readonly hidesTarget: boolean;
  /** Copies of requests for another pool. */
  readonly mirror: MirrorPlan | null;
  /** What is done when no response comes from the pool. */
  readonly fallback: FallbackPlan | null;
  /** Share of its exchanges whose traces are recorded, in place of the one for all; `null` for that one. */
  readonly traceSample: number | null;
}

export type RouteAction =
  | { readonly kind: 'forward'; readonly pool: Pool }
  | { readonly kind: 'split'; readonly split: Split }
  | { readonly kind: 'reply'; readonly make: MakeReply }
  /** The route is broken: 503 to whatever it may have taken. */
  | { readonly kind: 'refuse' };

/** Milliseconds; 0 for none. */
export interface RouteTimeouts {
  readonly headMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly tunnelIdleMs: number;
}

/** What certificate authorities ask for, to see who controls a name (RFC 8555 §8.3). */
export interface ChallengeAnswers {
  /** Takes a canonical path; `null` while nothing is asked for, so that it costs nothing then. */
  readonly answer: ((path: string) => LocalReply | null) | null;
}

/** What one listener does with a request before and while routing it. */
export interface ListenerRules {
  readonly pathPolicy: PathPolicy;
  readonly bodyLimitBytes: number | null;
  /** The largest that any route here takes; `null` for no bound. No body beyond it is looked at. */
  readonly mostBodyBytes: number | null;
  /** `Strict-Transport-Security` of every response; `null` for none, as without TLS (RFC 6797 §7.2). */
  readonly hsts: string | null;
  /** Endpoints are told of the client's certificate (RFC 9440). */
  readonly forwardCertificate: boolean;
  /** Come first of all; `null` where no authority would ask. */
  readonly challenges: ChallengeAnswers | null;
  /** Answers everything, before routing (`redirectTo`). */
  readonly redirect: MakeReply | null;
  readonly table: RouteTable<RoutePlan>;
  /** Where no route takes a request; `null` for none. */
  readonly policies: PolicyPlan | null;
}

/** Which connections of a listener are forwarded as they are, and where. */
export interface StreamRules {
  /** By SNI. */
  readonly names: ServerNames<Pool>;
  /** For all others; `null` when they are not forwarded. */
  readonly pool: Pool | null;
  /** Longest silence in both directions together, in milliseconds; 0 for none. */
  readonly idleMs: number;
}

/** Everything compiled from one configuration. Immutable, swapped as one pointer. */
export interface Snapshot {
  readonly listeners: ReadonlyMap<string, ListenerRules>;
  /** Of the listeners that forward connections as they are. */
  readonly streams: ReadonlyMap<string, StreamRules>;
  readonly pools: ReadonlyMap<string, Pool>;
  /** What becomes of the copies of requests, for each route that has some made. */
  readonly mirrors: ReadonlySet<MirrorLive>;
  readonly policyStates: ReadonlySet<PolicyState>;
  /** For routes that ask what bodies say. */
  readonly bodyMatching: BodyMatching;
  /** Names (`identityNames`) of fields by which some endpoint is told who it is: no client may send them. `null` for none. */
  readonly identityFields: readonly string[] | null;
  /** Names of cookies that are ours, chunks and the like after a dot included: no endpoint may see them. `null` for none. */
  readonly sessionCookies: readonly string[] | null;
  readonly cache: SharedCache;
  /** `null`: trace contexts are passed on as they came. */
  readonly tracing: TracePlan | null;
  /** Who is told what was done with a request, if it asks; `null` for nobody. */
  readonly explain: ((clientAddress: string) => boolean) | null;
  /** How long tunnels go on that no route leads where they are any more; `null` for as long as they like. */
  readonly strayTunnelMs: number | null;
  /** Error pages tell route, pool and endpoint, and reload themselves. For development only. */
  readonly development: boolean;
}
