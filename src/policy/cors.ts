import { GatewayError } from '../errors.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import { getCombined, getHeader, type HeaderDraft, type HeaderList, isNamed, noHeaders } from '../http/headers.ts';
import { isToken } from '../http/method.ts';
import type { AdmitPolicy, PolicyRequest, Verdict } from './admit.ts';
import { type Compiled, compiled, problem } from './compiled.ts';
import type { InboundPolicy } from './inbound.ts';
import { compileOrigins, isOrigin, type OriginPattern, type OriginTest } from './origin-pattern.ts';
import { ownOrigin } from './own-origin.ts';
import { addVary } from './vary.ts';

export interface CorsConfig {
  readonly origins: '*' | readonly OriginPattern[];
  readonly methods: '*' | readonly string[];
  readonly headers: '*' | readonly string[];
  readonly exposedHeaders: '*' | readonly string[];
  readonly credentials: boolean;
  /** Milliseconds. */
  readonly maxAge?: number | undefined;
  readonly privateNetwork: boolean;
  readonly enforce: boolean;
}

export interface Cors {
  readonly admit: AdmitPolicy<'cors'>;
  readonly inbound: InboundPolicy;
}

/** What is said to whoever is allowed, prepared. */
interface Plan {
  /** `null`: everybody is allowed, and told so by `*`. */
  readonly allows: OriginTest | null;
  readonly credentials: boolean;
  /** `null`: what is asked for is echoed. */
  readonly methods: string | null;
  readonly headers: string | null;
  readonly exposed: string | null;
  readonly maxAge: string | null;
  readonly privateNetwork: boolean;
  readonly enforce: boolean;
  /** For the notes; `null` for any. */
  readonly methodSet: ReadonlySet<string> | null;
  readonly headerSet: ReadonlySet<string> | null;
  readonly preflightVary: readonly string[];
}

/** Methods that need no permission (Fetch, CORS-safelisted method). */
const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST'];
/** Fields that need none (Fetch, CORS-safelisted request-header), as far as their names go. */
const SAFELISTED_HEADERS = ['accept', 'accept-language', 'content-language', 'content-type', 'range'];

const ORIGIN_VARY = ['Origin'];

/** Everything of the CORS protocol: an endpoint that says some of it too would contradict. */
const FIELD_START = 'access-control-';

/** What Fetch's CORS protocol asks of a server, for one policy. Nothing is allowed that is not written: a mistake is a problem. */
export function compileCors(config: CorsConfig): Compiled<Cors> {
  const { origins, credentials } = config;
  if (origins === '*' && credentials) {
    const why = 'every site could read, in the name of its visitors, what only they may see';
    return problem(['credentials'], `credentials are not for every origin: ${why}; list the origins`);
  }
  const tests = origins === '*' ? compiled(null) : compileOrigins(origins);
  if (!tests.ok) {
    const problems = tests.problems.map(({ path, message }) => ({ path: ['origins', ...path], message }));
    return { ...tests, problems };
  }
  const plan = planOf(config, tests.value);
  return compiled({
    admit: { phase: 'cors', policy: 'cors', admit: (request) => admit(plan, request) },
    inbound: { phase: 'cors', edit: (draft, { request }) => edit(plan, draft, request) },
  });
}

function planOf(config: CorsConfig, allows: OriginTest | null): Plan {
  const { methods, headers, exposedHeaders, credentials, maxAge, privateNetwork } = config;
  const asks = ['Access-Control-Request-Method', 'Access-Control-Request-Headers'];
  return {
    allows,
    credentials,
    methods: wildcardOr(methods, credentials),
    headers: wildcardOr(headers, credentials),
    exposed: exposedHeaders === '*' ? '*' : exposedHeaders.join(', ') || null,
    maxAge: maxAge === undefined ? null : String(Math.floor(maxAge / 1000)),
    privateNetwork,
    enforce: config.enforce,
    methodSet: methods === '*' ? null : new Set([...methods, ...SAFELISTED_METHODS]),
    headerSet: headers === '*' ? null : new Set([...headers.map((n) => n.toLowerCase()), ...SAFELISTED_HEADERS]),
    preflightVary: [
      ...(allows === null ? [] : ORIGIN_VARY),
      ...asks,
      ...(privateNetwork ? ['Access-Control-Request-Private-Network'] : []),
    ],
  };
}

/** With credentials a `*` would be a name, not a wildcard (Fetch §3.2.5). */
function wildcardOr(names: '*' | readonly string[], credentials: boolean): string | null {
  if (names !== '*') return names.join(', ');
  return credentials ? null : '*';
}

/** A request that asks beforehand (Fetch §3.2.2): any other OPTIONS is the endpoint's. */
function isPreflight(method: string, headers: HeaderList): boolean {
  return (
    method === 'OPTIONS' &&
    getHeader(headers, 'access-control-request-method') !== null &&
    getHeader(headers, 'origin') !== null
  );
}

function admit(plan: Plan, policyRequest: PolicyRequest): Verdict | null {
  const { request, client } = policyRequest;
  const preflight = isPreflight(request.method, request.headers);
  if (!preflight && !plan.enforce) return null;
  const origin = originOf(request.headers);
  if (origin === null) return null;
  if (!preflight) {
    // A browser sends its origin with what a page does at home, too.
    return isAllowed(plan, origin) || origin === ownOrigin(request, client) ? null : refuse();
  }
  if (!isAllowed(plan, origin)) return refuse();
  noteUnasked(plan, policyRequest);
  return { kind: 'reply', reply: preflightReply };
}

function refuse(): Verdict {
  const reason = 'cors-origin-not-allowed';
  return {
    kind: 'refuse',
    error: new GatewayError('http_request_denied', { blame: 'client', status: 403, reason }),
  };
}

/** Its fields come with `edit`, as those of every response. */
const preflightReply: LocalReply = {
  status: 204,
  headers: noHeaders,
  body: null,
  reason: 'cors-preflight',
  error: null,
};

/** The browser will refuse it by itself, and tell the page's author what is missing; the log tells the operator. */
function noteUnasked({ methodSet, headerSet }: Plan, policyRequest: PolicyRequest): void {
  const { request } = policyRequest;
  const method = getCombined(request.headers, 'access-control-request-method');
  if (method !== null && methodSet !== null && !methodSet.has(method)) policyRequest.note('cors-method-not-allowed');
  const asked = headerSet === null ? null : getCombined(request.headers, 'access-control-request-headers');
  if (asked === null || headerSet === null) return;
  if (asked.split(',').some((name) => !headerSet.has(name.trim().toLowerCase()))) {
    policyRequest.note('cors-header-not-allowed');
  }
}

/** The one `Origin`; several of them are '', which nobody has. `null` for none. */
function originOf(headers: HeaderList): string | null {
  let origin: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, 'origin')) continue;
    if (origin !== null) return '';
    origin = headers[i + 1] as string;
  }
  return origin;
}

/** Everybody includes sandboxed frames, whose origin is `null`; nobody is who sends several. */
function isAllowed({ allows }: Plan, origin: string): boolean {
  return allows === null ? origin === 'null' || isOrigin(origin) : allows(origin);
}

function edit(plan: Plan, draft: HeaderDraft, request: PolicyRequest['request']): void {
  removeOwn(draft);
  const preflight = isPreflight(request.method, request.headers);
  if (preflight) addVary(draft, plan.preflightVary);
  else if (plan.allows !== null) addVary(draft, ORIGIN_VARY);
  if (plan.allows === null) draft.push('Access-Control-Allow-Origin', '*');
  else {
    const origin = originOf(request.headers);
    if (origin === null || !plan.allows(origin)) return;
    draft.push('Access-Control-Allow-Origin', origin);
    if (plan.credentials) draft.push('Access-Control-Allow-Credentials', 'true');
  }
  if (preflight) permit(plan, draft, request.headers);
  else expose(plan, draft);
}

function permit(plan: Plan, draft: HeaderDraft, asked: HeaderList): void {
  const methods = plan.methods ?? echoed(asked, 'access-control-request-method');
  if (methods !== '') draft.push('Access-Control-Allow-Methods', methods);
  const headers = plan.headers ?? echoed(asked, 'access-control-request-headers');
  if (headers !== '') draft.push('Access-Control-Allow-Headers', headers);
  if (plan.maxAge !== null) draft.push('Access-Control-Max-Age', plan.maxAge);
  if (plan.privateNetwork && getCombined(asked, 'access-control-request-private-network') === 'true') {
    draft.push('Access-Control-Allow-Private-Network', 'true');
  }
}

function expose({ exposed, credentials }: Plan, draft: HeaderDraft): void {
  if (exposed === null) return;
  if (exposed !== '*' || !credentials) {
    draft.push('Access-Control-Expose-Headers', exposed);
    return;
  }
  // With credentials `*` would be a name: those that there are, then.
  const names = new Set<string>();
  for (let i = 0; i < draft.length; i += 2) {
    const lower = (draft[i] as string).toLowerCase();
    if (!lower.startsWith(FIELD_START) && lower !== 'set-cookie') names.add(lower);
  }
  if (names.size > 0) draft.push('Access-Control-Expose-Headers', [...names].join(', '));
}

/** Tokens that are asked for; '' for what is no list of them. */
function echoed(asked: HeaderList, lower: string): string {
  const value = getCombined(asked, lower);
  if (value === null) return '';
  const names = value.split(',').map((name) => name.trim());
  return names.every(isToken) ? names.join(', ') : '';
}

function removeOwn(draft: HeaderDraft): void {
  let kept = 0;
  for (let i = 0; i < draft.length; i += 2) {
    const name = draft[i] as string;
    if (isOwn(name)) continue;
    draft[kept] = name;
    draft[kept + 1] = draft[i + 1] as string;
    kept += 2;
  }
  draft.length = kept;
}

/** Most names are ruled out by their first letter or their length, which saves a copy of each. */
function isOwn(name: string): boolean {
  if (name.length <= FIELD_START.length || (name.charCodeAt(0) | 0x20) !== 0x61) return false;
  return name.slice(0, FIELD_START.length).toLowerCase() === FIELD_START;
}
