import type { Criterion } from '../../routing/rank.ts';
import type { Miss } from '../../routing/trace.ts';

/** What would become of a request, and why. Plain data that JSON can carry; nothing secret. */
export interface Explanation {
  readonly request: ExplainedRequest;
  readonly outcome: Outcome;
  /** The route that takes it; `null` when none does, or it does not come that far. */
  readonly route: ExplainedRoute | null;
  /** Routes that hold too, and go later: the next one first. At most `MOST_LISTED`. */
  readonly alsoMatch: readonly RouteRef[];
  /** Routes that do not hold, the nearest first. At most `MOST_LISTED`. */
  readonly nearMisses: readonly NearMiss[];
  /** What the route does, in the order in which it happens. */
  readonly policies: readonly PolicyLine[];
  /** Effective timeouts, retries and limits. */
  readonly settings: readonly Setting[];
  /** The request as it would go upstream; `null` for one that does not. */
  readonly upstream: ExplainedUpstream | null;
  /** `null` where the route has no cache, or it is not asked. */
  readonly cache: ExplainedCache | null;
  /** Where it would go; `null` for nowhere. */
  readonly pool: ExplainedPool | null;
  /** What whoever asks may not expect. */
  readonly notes: readonly string[];
}

/** So many other routes are told of: whoever has thousands wants to know of those that matter. */
export const MOST_LISTED = 20;

export interface ExplainedRequest {
  readonly method: string;
  readonly listener: string | null;
  readonly scheme: string;
  readonly host: string;
  readonly target: string;
  readonly client: string;
  readonly serverName: string | null;
  /** Canonical, as rules, policies and cache see it; `null` when the request does not come that far. */
  readonly path: string | null;
  readonly query: string | null;
}

export type Outcome =
  /** To an endpoint of the pool. */
  | { readonly kind: 'forward' }
  | { readonly kind: 'tunnel'; readonly protocol: string }
  /** From the cache. `ttlMs` of freshness are left, negative when stale; `refresh`: the endpoint is asked afterwards. */
  | { readonly kind: 'serve'; readonly status: number; readonly ttlMs: number; readonly refresh: boolean }
  | { readonly kind: 'purge'; readonly mode: 'soft' | 'hard' }
  /** Headgate answers itself, as configured. `by`: before routing, or the route. */
  | ({ readonly kind: 'reply'; readonly by: 'listener' | 'route'; readonly location: string | null } & Reply)
  /** Headgate refuses. `by`: in which step of a request's life. */
  | ({ readonly kind: 'refuse'; readonly by: RefusedBy; readonly error: string } & Reply)
  /** The connection is forwarded undecrypted, or as it is; no route sees a request. */
  | { readonly kind: 'passthrough'; readonly pool: string }
  /** No connection comes about. */
  | { readonly kind: 'closed'; readonly reason: string };

/** `listener`: before anything of the request is looked at by rules. `admission`: before routing. `cache`: only-if-cached. */
export type RefusedBy = 'listener' | 'admission' | 'routing' | 'route' | 'cache' | 'bug';

/** `reason` is that of the access log. */
export interface Reply {
  readonly status: number;
  readonly reason: string;
  /** Key of the policy that says so; `null` for none. */
  readonly policy: string | null;
  /** As they would be sent, but for the request's id. */
  readonly headers: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly value: string;
}

export interface RouteRef {
  readonly name: string;
  /** `routes/shop.yaml:12`. */
  readonly at: string;
  readonly match: string;
  /** Why another one goes first. */
  readonly by: Criterion | null;
}

export interface ExplainedRoute extends RouteRef {
  /** By name, in the bytes of the canonical path. */
  readonly captures: Readonly<Record<string, string>>;
}

export interface NearMiss {
  readonly name: string;
  readonly at: string;
  readonly match: string;
  /** The decisive one first. */
  readonly misses: readonly Miss[];
}

export interface PolicyLine {
  /** The key of the configuration: `rewrite`. */
  readonly policy: string;
  /** What it does to this request, or to its response. */
  readonly words: string;
  /** `routes/shop.yaml:14`. */
  readonly at: string | null;
}

export interface Setting {
  /** Key path within a route, a pool or a listener: `timeouts.head`. */
  readonly key: string;
  /** As one would write it. */
  readonly value: string;
  /** `routes/shop.yaml:12`, `defaults at routes/x.yaml:3`, `pool shop at routes/x.yaml:9`, `default`. */
  readonly origin: string;
}

export interface ExplainedUpstream {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** `null` when it depends on the endpoint. */
  readonly host: string | null;
  /** In the order in which they are sent, without Host. */
  readonly headers: readonly UpstreamField[];
  /** Names of the client's fields that the endpoint does not get. */
  readonly removed: readonly string[];
}

export interface UpstreamField extends Field {
  /** Who wrote it. */
  readonly by: 'client' | 'route' | 'gateway';
}

export interface ExplainedCache {
  /** What the cache says now; of a gateway that does not run, what an empty one would. */
  readonly lookup: 'hit' | 'stale' | 'revalidate' | 'complete' | 'miss' | 'bypass' | 'unsatisfiable';
  /** The reason of access log and metrics: `uri-miss`, `no-store`; `null` for a hit. */
  readonly why: string | null;
  /** `null` when the cache is not asked. */
  readonly key: string | null;
  /** What else has to be the same for a stored response to be found. */
  readonly partition: readonly { readonly by: string; readonly value: string }[];
  /** What would become of such responses; empty when nothing is stored whatever comes. */
  readonly responses: readonly ResponseVerdict[];
}

export interface ResponseVerdict {
  /** `200`, `200 Cache-Control: max-age=60`. */
  readonly response: string;
  readonly stored: boolean;
  readonly freshMs: number | null;
  /** Why it is not stored. */
  readonly why: string | null;
}

export interface ExplainedPool {
  readonly name: string;
  /** What chose it. `weight`: chance, by the shares of `branches`, and `name` is one that it may fall to. */
  readonly by: 'route' | 'cookie' | 'key' | 'weight';
  /** Of a split; empty for none. */
  readonly branches: readonly { readonly pool: string; readonly weight: number }[];
  readonly balance: string;
  /** Of the pool as a whole; `null` for none. */
  readonly breaker: string | null;
  /** Who gets the request; `null` when turns, loads or chance decide. */
  readonly chosen: { readonly endpoint: string; readonly by: 'session' | 'hash' | 'only' } | null;
  readonly endpoints: readonly ExplainedEndpoint[];
  /** Why there are none: `name-not-resolved`; `null` when there are. */
  readonly absence: string | null;
}

export interface ExplainedEndpoint {
  readonly origin: string;
  readonly weight: number;
  readonly priority: number;
  /** `unknown`: the gateway does not run. */
  readonly health: 'up' | 'down' | 'unchecked' | 'unknown';
  /** May be given new work. */
  readonly available: boolean | null;
  readonly standing: string;
  readonly ejected: boolean;
  readonly tripped: boolean;
  readonly inFlight: number | null;
}
