import { RE2JS } from 're2js';
import { GatewayError } from '../../errors.ts';
import type { AdmitPolicy, PolicyRequest } from '../admit.ts';
import { type Compiled, compiledUnless, type PolicyProblem } from '../compiled.ts';
import { claimOf, type Identity, isScalar } from '../identity.ts';
import { fromOctets } from '../octets.ts';

export type ClaimTest =
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  /** All of them are among the members of a list, or the words of a text. */
  | { readonly kind: 'contains'; readonly values: readonly string[] }
  | { readonly kind: 'regex'; readonly source: string }
  | { readonly kind: 'present' };

export interface RequireConfig {
  readonly claims: Readonly<Record<string, ClaimTest>>;
  /** One of them; `null` for anybody. */
  readonly users: readonly string[] | null;
}

type Reason = 'claim-missing' | 'claim-refused' | 'user-refused';

/** A claim that has to hold. */
interface Requirement {
  readonly claim: string;
  readonly holds: (value: unknown) => boolean;
  /** What the token would have to be issued for (RFC 6750 §3); `null` where that is no scope. */
  readonly scope: string | null;
}

/** The rules on whoever is authenticated, by whichever way. All have to hold. */
export function compileRequire({ claims, users }: RequireConfig): Compiled<AdmitPolicy<'authorization'>> {
  const problems: PolicyProblem[] = [];
  const requirements = Object.entries(claims).flatMap(([claim, test]): Requirement[] => {
    const holds = compileTest(test);
    if (typeof holds === 'string') problems.push({ path: ['claims', claim, 'regex'], message: holds });
    return typeof holds === 'string' ? [] : [{ claim, holds, scope: scopeOf(claim, test) }];
  });
  const names = users === null ? null : new Set(users);
  return compiledUnless<AdmitPolicy<'authorization'>>(problems, () => ({
    phase: 'authorization',
    policy: 'auth',
    admit(request) {
      const { identity } = request;
      // Only where it was not asked who it is: whoever is asked in earnest says no, or there is somebody.
      if (identity === null) return request.hypothetical ? null : { kind: 'refuse', error: forbidden('user-refused') };
      if (names !== null && !names.has(fromOctets(identity.user))) {
        return { kind: 'refuse', error: forbidden('user-refused') };
      }
      for (const requirement of requirements) {
        const error = refusalOf(requirement, identity, request);
        if (error !== null) return { kind: 'refuse', error };
      }
      return null;
    },
  }));
}

function refusalOf(
  { claim, holds, scope }: Requirement,
  identity: Identity,
  request: PolicyRequest,
): GatewayError | null {
  const value = claimOf(identity.claims, claim);
  if (value !== undefined && value !== null && holds(value)) return null;
  const reason = value === undefined || value === null ? 'claim-missing' : 'claim-refused';
  request.note(`${reason}:${claim}`);
  return forbidden(reason, identity.scheme === 'jwt' ? challengeFor(scope) : undefined);
}

/** RFC 6750 §3.1: another token might do. */
function challengeFor(scope: string | null): readonly string[] {
  return ['WWW-Authenticate', `Bearer error="insufficient_scope"${scope === null ? '' : `, scope="${scope}"`}`];
}

function forbidden(reason: Reason, fields?: readonly string[]): GatewayError {
  const options = { blame: 'client', status: 403, reason } as const;
  return new GatewayError('http_request_denied', fields === undefined ? options : { ...options, fields });
}

/** Scopes in their own syntax only (RFC 6749 §3.3): they stand in quotes. */
function scopeOf(claim: string, test: ClaimTest): string | null {
  if ((claim !== 'scope' && claim !== 'scp') || test.kind !== 'contains') return null;
  const scope = test.values.join(' ');
  return /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) ? scope : null;
}

function compileTest(test: ClaimTest): ((value: unknown) => boolean) | string {
  if (test.kind === 'present') return () => true;
  if (test.kind === 'regex') {
    const regex = compileRegex(test.source);
    return typeof regex === 'string' ? regex : (value) => isScalar(value) && regex.test(String(value));
  }
  if (test.kind === 'contains') return (value) => test.values.every((wanted) => contains(value, wanted));
  const values = new Set(test.values);
  return (value) => isScalar(value) && values.has(String(value));
}

function compileRegex(source: string): RE2JS | string {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    return `not a regular expression that RE2 knows: ${reason}`;
  }
}

/** A member of a list, or a word of a text: scopes are words with spaces between (RFC 8693 §4.2). */
function contains(value: unknown, wanted: string): boolean {
  if (Array.isArray(value)) return value.some((member) => isScalar(member) && String(member) === wanted);
  return isScalar(value) && (String(value) === wanted || String(value).split(' ').includes(wanted));
}
