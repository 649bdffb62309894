import type { ClientCertificateFacts } from '../exchange/client-certificate.ts';
import type { HeaderList } from '../http/headers.ts';
import type { BodyMatch } from './body/body-match.ts';
import type { RequestMessage } from './body/request-message.ts';

/** How a rule names paths. `value` starts with `/` except in a regex; the grammar of a pattern is in `path-pattern.ts`. */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'pattern' | 'regex';
  readonly value: string;
}

/** What a header, cookie or query parameter must be. Compared byte for byte. */
export type ValueTest =
  | { readonly kind: 'exact' | 'prefix' | 'regex'; readonly value: string }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'present' | 'absent' };

/** Conditions of a rule: every one given must hold, none given matches every request. */
export interface RouteMatch {
  /** Lower case, without a port: `shop.test`, `*.shop.test` (one or more labels below), `[::1]`. */
  readonly host?: readonly string[] | undefined;
  readonly path?: PathMatch | undefined;
  /** Case-sensitive tokens (RFC 9110 §9.1). `GET` does not imply `HEAD`, as in the Gateway API. */
  readonly method?: readonly string[] | undefined;
  /** Field names in any case. A repeated field passes if one of its lines does. */
  readonly headers?: Readonly<Record<string, ValueTest>> | undefined;
  readonly cookies?: Readonly<Record<string, ValueTest>> | undefined;
  /** Names and values after percent-decoding. A repeated parameter passes if one of its values does. */
  readonly query?: Readonly<Record<string, ValueTest>> | undefined;
  /** Addresses or CIDR networks. */
  readonly client?: readonly string[] | undefined;
  /** TLS server names, same syntax as `host`; never met by a connection that sent none. */
  readonly sni?: readonly string[] | undefined;
  /** `subject`, `san`, `fingerprint` of a verified client certificate. A client has one subject and fingerprint, and any number of names. */
  readonly clientCertificate?: Readonly<Record<string, ValueTest>> | undefined;
  /** Never met by a request without a body, but for GraphQL in the query of a GET. */
  readonly body?: BodyMatch | undefined;
  readonly all?: readonly RouteMatch[] | undefined;
  readonly any?: readonly RouteMatch[] | undefined;
  readonly not?: RouteMatch | undefined;
}

/** One route as the rule engine sees it. `plan` is whatever the caller wants back on a match; it is never looked at. */
export interface RouteRule<T> {
  readonly name: string;
  /** Where it is written, for people: `routes/shop.yaml:12`. */
  readonly at: string;
  /** Listeners it serves; `null` for every one. Used by `vet` only: a table holds the rules of one listener. */
  readonly listeners: readonly string[] | null;
  readonly match: RouteMatch;
  /** Higher goes first among rules that are equally specific. */
  readonly priority: number;
  /** Place in the configuration; lower goes first when everything else is equal. */
  readonly order: number;
  readonly plan: T;
}

/** The facts of a request that rules may ask for. */
export interface RouteRequest {
  readonly method: string;
  /** Lower case, without port and trailing dot (`hostOf` of `http/target.ts`); empty when the request has none. */
  readonly host: string;
  /** Canonical: the same bytes that go upstream. `*` for `OPTIONS *`. */
  readonly path: string;
  /** Raw bytes after `?`; `null` without one. */
  readonly query: string | null;
  readonly headers: HeaderList;
  /** IPv4 or IPv6 literal without brackets; IPv4-mapped IPv6 already unwrapped. */
  readonly clientAddress: string;
  /** SNI of the connection, lower case; `null` when none was sent. */
  readonly serverName: string | null;
  readonly tls: boolean;
  /** Verified; `null` for a client without one. */
  readonly clientCertificate: ClientCertificateFacts | null;
  /** `null` for a request without a body, and where no rule asks for it. After a match that has set `wanted`: read it, and match again. */
  readonly body: RequestMessage | null;
}

/** What the path of a match captured: `[name, value, name, value, …]`, values in the raw bytes of the canonical path. */
export type Captures = readonly string[];

export const noCaptures: Captures = Object.freeze([]);

/** The winning rule. Shared and frozen when nothing was captured: never keep state on it. */
export interface Matched<T> {
  readonly rule: RouteRule<T>;
  readonly captures: Captures;
}
