import { claimOf } from '../identity.ts';
import type { ReadToken } from './jwt-form.ts';

/** What a token has to say. `null`: anything. */
export interface TokenRules {
  readonly issuers: ReadonlySet<string> | null;
  /** One of them is enough. */
  readonly audiences: ReadonlySet<string> | null;
  /** `null`: what the key is for. */
  readonly algorithms: ReadonlySet<string> | null;
  /** As `plainType` has them. */
  readonly types: ReadonlySet<string> | null;
  /** How far the clocks of issuers may be from ours. */
  readonly skewMs: number;
  /** Longest time since `iat`, which then has to be there. */
  readonly maxAgeMs: number | null;
  /** Names of claims, or paths to them. */
  readonly required: readonly string[];
}

export type TokenFault =
  | 'token-malformed'
  | 'token-algorithm'
  | 'token-type'
  | 'token-expired'
  | 'token-not-yet-valid'
  | 'token-issuer'
  | 'token-audience'
  | 'token-claim-missing'
  | 'token-key-unknown'
  | 'token-signature';

/** Epoch milliseconds until which a token is good (`Infinity` where it says nothing), or what is wrong with it. */
export type Vetted = { readonly ok: true; readonly untilMs: number } | { readonly ok: false; readonly why: TokenFault };

/** Everything that needs no key, and so comes before the signature: RFC 7519 §4.1, RFC 8725 §3. */
export function vet({ header, claims }: ReadToken, rules: TokenRules, nowMs: number): Vetted {
  if (rules.algorithms !== null && !rules.algorithms.has(header.alg)) return fault('token-algorithm');
  if (rules.types !== null && (header.typ === null || !rules.types.has(header.typ))) return fault('token-type');
  const { iss, aud } = claims;
  if (rules.issuers !== null && (typeof iss !== 'string' || !rules.issuers.has(iss))) return fault('token-issuer');
  if (rules.audiences !== null && !isMeant(aud, rules.audiences)) return fault('token-audience');
  for (const name of rules.required) if (claimOf(claims, name) === undefined) return fault('token-claim-missing');
  return vetTimes(claims, rules, nowMs);
}

function isMeant(aud: unknown, audiences: ReadonlySet<string>): boolean {
  if (Array.isArray(aud)) return aud.some((one) => typeof one === 'string' && audiences.has(one));
  return typeof aud === 'string' && audiences.has(aud);
}

function vetTimes(claims: Readonly<Record<string, unknown>>, rules: TokenRules, nowMs: number): Vetted {
  const { skewMs, maxAgeMs } = rules;
  const [exp, nbf, iat] = [timeOf(claims['exp']), timeOf(claims['nbf']), timeOf(claims['iat'])];
  if (exp === null || nbf === null || iat === null) return fault('token-malformed');
  let untilMs = exp === undefined ? Number.POSITIVE_INFINITY : exp + skewMs;
  if (maxAgeMs !== null) {
    if (iat === undefined) return fault('token-claim-missing');
    if (iat > nowMs + skewMs) return fault('token-not-yet-valid');
    untilMs = Math.min(untilMs, iat + maxAgeMs + skewMs);
  }
  if (nowMs >= untilMs) return fault('token-expired');
  if (nbf !== undefined && nbf > nowMs + skewMs) return fault('token-not-yet-valid');
  return { ok: true, untilMs };
}

/** A NumericDate (RFC 7519 §2) in milliseconds; `null` for what is none, `undefined` for nothing. */
function timeOf(value: unknown): number | null | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isFinite(value) ? value * 1000 : null;
}

function fault(why: TokenFault): Vetted {
  return { ok: false, why };
}
