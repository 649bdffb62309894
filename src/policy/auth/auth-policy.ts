import { GatewayError } from '../../errors.ts';
import type { HeaderDraft } from '../../http/headers.ts';
import type { AdmitPolicy, Consultation, PolicyRequest, Verdict } from '../admit.ts';
import type { Identity } from '../identity.ts';
import type { Authenticator, AuthResult } from './authenticator.ts';
import { challengesOf, unauthorized } from './challenge.ts';
import type { WriteIdentity } from './identity-fields.ts';

export interface AuthPolicyOptions {
  /** In the order in which they are tried. At least one. */
  readonly ways: readonly Authenticator[];
  /**
   * `any`: the first whose credentials the request brings decides, for better or worse; one that brings none is told of all of them.
   * `all`: each has to know it.
   */
  readonly satisfy: 'any' | 'all';
  /** Tells the endpoint who it is; `null` for nothing. */
  readonly writeIdentity: WriteIdentity | null;
}

/** More than there are ways: each may ask somebody, and after that somebody else. */
const MOST_WAITS = 12;

/** The policy `auth`: tells who asks, or refuses. The request's identity is set once, when all is known. */
export function authPolicy(options: AuthPolicyOptions): AdmitPolicy<'auth'> {
  const { satisfy, ways, writeIdentity } = options;
  const plan: Plan = {
    ...{ ways, satisfy, writeIdentity },
    removes: new Map(ways.map((way) => [way, removalsFor([way], ways)])),
    removesOfAll: removalsFor(ways, ways),
  };
  return { phase: 'auth', policy: 'auth', admit: (request) => begin(plan, request) };
}

interface Plan extends AuthPolicyOptions {
  /** Fields with credentials that go no further, by the way that decides; `null` for none. */
  readonly removes: ReadonlyMap<Authenticator, readonly string[] | null>;
  readonly removesOfAll: readonly string[] | null;
}

/** Those of all ways but for what the endpoint is to see of those that decide. */
function removalsFor(deciding: readonly Authenticator[], ways: readonly Authenticator[]): readonly string[] | null {
  const seen = deciding.flatMap(({ forwardedFields }) => forwardedFields ?? []);
  const hidden = ways.flatMap(({ credentialFields }) => credentialFields ?? []).filter((name) => !seen.includes(name));
  return hidden.length === 0 ? null : [...new Set(hidden)];
}

function begin(plan: Plan, request: PolicyRequest): Verdict | null {
  const { ways, satisfy } = plan;
  // One alone has nobody to leave it to.
  if (satisfy === 'all' || ways.length === 1) return advance(stageOf(plan, request, ways));
  for (const way of ways) if (way.presents(request)) return advance(stageOf(plan, request, [way]));
  return toLogin(plan, request);
}

/**
 * It brings no credentials: each way says what it wants. One that leads to a login does so; else the challenges are put together
 * (RFC 9110 §11.6.1: a client takes the strongest that it understands).
 */
function toLogin(plan: Plan, request: PolicyRequest): Verdict | null {
  const refusals: GatewayError[] = [];
  for (const way of plan.ways) {
    const result = way.authenticate(request);
    if (result.kind !== 'refused') return settle(stageOf(plan, request, [way]), result);
    refusals.push(result.error);
  }
  // A way that can't tell now says nothing of the others.
  const asking = refusals.filter(({ status }) => status === 401);
  const [error = refusals[0] ?? endless()] = asking;
  if (asking.length < 2) return { kind: 'refuse', error };
  return { kind: 'refuse', error: unauthorized('credentials-missing', asking.flatMap(challengesOf)) };
}

/** How far a request has come. */
interface Stage {
  readonly plan: Plan;
  readonly request: PolicyRequest;
  readonly deciding: readonly Authenticator[];
  /** Of them, those that are not asked yet; the first is next. */
  readonly left: readonly Authenticator[];
  readonly known: readonly Identity[];
  /** Fields that go no further; `null` for none. */
  readonly removes: readonly string[] | null;
  /** How often it has waited. */
  readonly waits: number;
}

/** Before any of `deciding` is asked. */
function stageOf(plan: Plan, request: PolicyRequest, deciding: readonly Authenticator[]): Stage {
  const [way] = deciding;
  const removes = way === undefined || deciding.length > 1 ? plan.removesOfAll : (plan.removes.get(way) ?? null);
  return { plan, request, deciding, left: deciding, known: [], removes, waits: 0 };
}

/** Asks one way after the other until one says no, or has to wait. */
function advance(stage: Stage): Verdict | null {
  const [way] = stage.left;
  if (way !== undefined) return settle(stage, way.authenticate(stage.request));
  identify(stage);
  return null;
}

/** What the first of the ways that are left has said. */
function settle(stage: Stage, result: AuthResult): Verdict | null {
  if (result.kind === 'refused') return { kind: 'refuse', error: result.error };
  if (result.kind === 'reply') return result;
  if (result.kind === 'known') {
    return advance({ ...stage, left: stage.left.slice(1), known: [...stage.known, result.identity] });
  }
  if (stage.waits === MOST_WAITS) return { kind: 'refuse', error: endless() };
  return { kind: 'consult', consultation: new Question({ ...stage, waits: stage.waits + 1 }, result) };
}

/** Waits for one way, then for the next: to whoever waits for it, one question. */
class Question implements Consultation {
  readonly whom: string;
  readonly #stage: Stage;
  readonly #asked: AuthResult & { readonly kind: 'ask' };
  /** What is waited for after that. */
  #then: Consultation | null = null;
  #answered = false;

  constructor(stage: Stage, asked: AuthResult & { readonly kind: 'ask' }) {
    this.#stage = stage;
    this.#asked = asked;
    this.whom = asked.whom;
  }

  begin(done: (verdict: Verdict | null) => void): void {
    this.#asked.begin((result) => {
      if (this.#answered) return;
      this.#answered = true;
      const verdict = settledOrBug(this.#stage, result);
      if (verdict?.kind !== 'consult') {
        done(verdict);
        return;
      }
      this.#then = verdict.consultation;
      this.#then.begin(done);
    });
  }

  cancel(): void {
    if (this.#then !== null) this.#then.cancel();
    else if (!this.#answered) this.#asked.cancel();
    this.#answered = true;
  }
}

/** Nobody stands behind whoever answers later and could catch it. */
function settledOrBug(stage: Stage, result: AuthResult): Verdict | null {
  try {
    return settle(stage, result);
  } catch (cause) {
    const options = { blame: 'gateway', status: 500, reason: 'bug', cause } as const;
    return { kind: 'refuse', error: new GatewayError('proxy_internal_error', options) };
  }
}

/** A bug: a way asks on and on. */
function endless(): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 500, reason: 'auth-endless' });
}

/** Sets who it is: the first that is known, with what the others know besides. */
function identify({ plan, request, deciding, known, removes }: Stage): void {
  const [first] = known;
  // There is at least one way, and all that were asked know it.
  if (first === undefined) return;
  const fields: HeaderDraft = known.flatMap((identity) => identity.fields);
  request.identity = {
    scheme: first.scheme,
    user: first.user,
    claims: known.length === 1 ? first.claims : Object.assign({}, ...known.toReversed().map(({ claims }) => claims)),
    fields,
    removes: together(removes, known),
    cookie: known.find(({ cookie }) => cookie !== null)?.cookie ?? null,
    seesCredentials: known.some(({ seesCredentials }) => seesCredentials === true),
    // The first alone need not say which of several users of the others it is.
    apart:
      known.length === 1 ? (first.apart ?? '') : JSON.stringify(known.map((one) => [one.scheme, one.user, one.apart])),
  };
  for (const way of plan.ways) way.hideCredentials?.(request, deciding.includes(way));
  // Templates read the identity, so that it is there before its fields are complete.
  if (plan.writeIdentity !== null) plan.writeIdentity(fields, request);
}

function together(removes: readonly string[] | null, known: readonly Identity[]): readonly string[] | null {
  const more = known.flatMap((identity) => identity.removes ?? []);
  return more.length === 0 ? removes : [...new Set([...(removes ?? []), ...more])];
}
