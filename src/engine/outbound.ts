import { type KeyPolicy, selectingCoding } from '../cache/key-policy.ts';
import type { Attempt } from '../exchange/attempt.ts';
import type { BodySource } from '../exchange/body.ts';
import type { ClientCertificateFacts } from '../exchange/client-certificate.ts';
import type { RequestHead } from '../exchange/exchange.ts';
import { removeCookies } from '../http/cookie.ts';
import { appendForwarding, appendVia, removeSpoofed } from '../http/forwarded.ts';
import { getHeader, type HeaderDraft, type HeaderList, noHeaders, removeHeader, setHeader } from '../http/headers.ts';
import { requestEndToEnd } from '../http/hop-by-hop.ts';
import type { Identity } from '../policy/identity.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import { ASKING_FIELD } from './explanation-field.ts';
import { removeIdentityFields } from './identity-names.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';
import { writeTrace } from './trace.ts';

/** Tells an endpoint that it got a copy, and of whose request: the value is the pool that got the request itself. */
export const MIRROR_FIELD = 'X-Headgate-Mirror';
const MIRROR_LOWER = MIRROR_FIELD.toLowerCase();

/** Our name in `Via` (RFC 9110 §7.6.3). */
export const PSEUDONYM = 'headgate';

/** The request as it goes upstream, the same for every attempt but for `Host`. */
export interface Outbound {
  readonly target: string;
  readonly headers: HeaderList;
}

/**
 * Builds what goes upstream (RFC 9110 §7.6): hop-by-hop fields go first, so that no edit of ours can be undone by a client's
 * `Connection`; then the route's edits; then the fields that tell the endpoint who asked.
 */
export function buildOutbound(progress: Progress, plan: RoutePlan, cache: CacheWish | null): Outbound {
  const { exchange } = progress;
  const { request, client } = exchange;
  const draft = requestEndToEnd(request.headers);
  if (cache !== null) applyWish(draft, cache);
  if (plan.cache !== null && plan.cache.key !== null) askForOneCoding(draft, request, plan.cache.key);
  const { policies } = progress;
  if (policies !== null && policies.transforms !== null)
    for (const transform of policies.transforms) if (transform.ask !== null) transform.ask(draft, progress);
  if (request.method === 'OPTIONS') decrementMaxForwards(draft);
  // Gone before the edits, so that an edit which sets the very same value is not taken for the client's forgery.
  if (!client.trusted) removeSpoofed(draft);
  if (progress.certificate !== null) tellOfCertificate(draft, progress.certificate);
  // Nobody but us says what is a copy.
  if (plan.mirror !== null) removeHeader(draft, MIRROR_LOWER);
  // Before the edits: a route may keep it from endpoints that are not one's own.
  if (progress.trace !== null) writeTrace(draft, progress.trace);
  tellWhoItIs(draft, progress);
  if (policies !== null && policies.editRequest !== null) policies.editRequest(draft, progress);
  if (plan.editRequest !== null) plan.editRequest(draft, progress);
  appendForwarding(draft, {
    peer: client.peer,
    trusted: client.trusted,
    forwardedBy: client.forwardedBy,
    client: client.address,
    scheme: request.scheme,
    authority: request.authority,
    localPort: client.localPort,
    received: client.trusted ? request.headers : noHeaders,
  });
  appendVia(draft, request.version, PSEUDONYM);
  setHeader(draft, 'X-Request-Id', progress.requestId);
  const target = outboundTarget(progress, plan, progress.query);
  // Nobody but us is asked.
  if (progress.edition.snapshot.explain !== null) removeHeader(draft, ASKING_FIELD);
  if (progress.explains && !plan.hidesTarget) progress.explainedTarget = target;
  return { target, headers: draft };
}

/** The endpoint is asked for the coding that the stored variant is selected by, so that there are no more variants than codings. */
function askForOneCoding(draft: HeaderDraft, { method, headers }: RequestHead, key: KeyPolicy): void {
  const coding = method === 'GET' || method === 'HEAD' ? selectingCoding(headers, key) : null;
  if (coding !== null) setHeader(draft, 'Accept-Encoding', coding);
}

/** What the cache wants to be asked otherwise than the client has. */
export interface CacheWish {
  /** The cache's own validators, with which the client's conditions stay at the gateway; `null` for none. */
  readonly conditional: HeaderList | null;
  /** All of the representation, whatever range the client asks for. */
  readonly whole: boolean;
}

function applyWish(draft: HeaderDraft, { conditional, whole }: CacheWish): void {
  if (whole) {
    removeHeader(draft, 'range');
    removeHeader(draft, 'if-range');
  }
  if (conditional !== null) replaceConditions(draft, conditional);
}

/** Nobody but us says who it is, whether or not it was asked here; credentials that are meant for us go no further. */
function tellWhoItIs(draft: HeaderDraft, { identity, edition }: Progress): void {
  const { identityFields, sessionCookies } = edition.snapshot;
  if (identityFields !== null) removeIdentityFields(draft, identityFields);
  if (identity !== null) writeIdentity(draft, identity);
  if (sessionCookies !== null) removeCookies(draft, sessionCookies);
}

function writeIdentity(draft: HeaderDraft, identity: Identity): void {
  const { removes, cookie, fields } = identity;
  if (removes !== null) for (const name of removes) removeHeader(draft, name);
  if (cookie === '') removeHeader(draft, 'cookie');
  // Not what was to go altogether, since another one takes its place.
  else if (cookie !== null && removes?.includes('cookie') !== true) setHeader(draft, 'Cookie', cookie);
  for (const item of fields) draft.push(item);
}

/** RFC 9440 §2. The client's own fields of these names are gone already. */
function tellOfCertificate(draft: HeaderDraft, { field, chainField }: ClientCertificateFacts): void {
  draft.push('Client-Cert', field);
  if (chainField !== null) draft.push('Client-Cert-Chain', chainField);
}

/** Path and query as they go upstream, if `received` is the query that came. */
export function outboundTarget(progress: Progress, plan: RoutePlan, received: string | null): string {
  const path = plan.rewritePath === null ? progress.path : plan.rewritePath(progress.path, progress);
  const query = plan.editQuery === null ? received : plan.editQuery(received, progress);
  return query === null ? path : `${path}?${query}`;
}

/** One attempt of `outbound` at `endpoint`. */
export function attemptAt(
  endpoint: Endpoint,
  outbound: Outbound,
  rest: {
    readonly progress: Progress;
    readonly pool: Pool;
    readonly body: BodySource | null;
    readonly headTimeoutMs: number;
  },
): Attempt {
  const { exchange } = rest.progress;
  return {
    destination: endpoint.destination,
    client: exchange.client,
    method: exchange.request.method,
    target: outbound.target,
    headers: withHost(outbound.headers, hostFor(rest.pool, endpoint, exchange.request.authority)),
    body: rest.body,
    upgrade: exchange.upgrade === null ? null : exchange.upgrade.protocol,
    headTimeoutMs: rest.headTimeoutMs,
  };
}

/** `Host` for `endpoint`, by the pool's policy. */
export function hostFor(pool: Pool, endpoint: Endpoint, authority: string): string {
  if (pool.hostPolicy === 'endpoint') return endpoint.authority;
  // An HTTP/1.0 client may send no Host; an HTTP/1.1 request must have one (RFC 9112 §3.2).
  if (pool.hostPolicy === 'preserve') return authority === '' ? endpoint.authority : authority;
  return pool.hostPolicy.fixed;
}

/** `Host` first (RFC 9110 §7.2) and exactly once. The usual request has it there already, and is not copied. */
function withHost(headers: HeaderList, host: string): HeaderList {
  if (headers[1] === host && (headers[0] as string).toLowerCase() === 'host') return headers;
  const draft = headers.slice();
  removeHeader(draft, 'host');
  draft.unshift('Host', host);
  return draft;
}

/**
 * `If-Range` is not among them: it says which representation the client has a part of, and is looked at only where the conditions
 * don't make it a 304 (RFC 9110 §13.2.2). With it, a `Range` is answered rightly whatever our own conditions are about.
 */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since'];

function replaceConditions(draft: HeaderDraft, conditional: HeaderList): void {
  for (const name of CONDITIONS) removeHeader(draft, name);
  for (let i = 0; i < conditional.length; i += 2)
    setHeader(draft, conditional[i] as string, conditional[i + 1] as string);
}

function decrementMaxForwards(draft: HeaderDraft): void {
  const value = getHeader(draft, 'max-forwards');
  if (value !== null && /^\d{1,9}$/.test(value)) setHeader(draft, 'Max-Forwards', String(Number(value) - 1));
}
