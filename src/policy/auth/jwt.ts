import type { Clock } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import type { PolicyRequest } from '../admit.ts';
import { claimText, type Identity } from '../identity.ts';
import { toOctets } from '../octets.ts';
import { takeParameter } from '../query-parameter.ts';
import type { Authenticator, AuthResult } from './authenticator.ts';
import { bearerRefusals, cannotVerify } from './bearer-refusals.ts';
import { type TokenFault, type TokenRules, vet } from './jwt-claims.ts';
import { type ReadToken, readToken } from './jwt-form.ts';
import type { Checked, TokenChecks } from './token-checks.ts';
import type { KeySource } from './token-keys.ts';
import { cookiesWithout, type TokenPlaceConfig, tokenPlace } from './token-place.ts';
import { tokenDigest } from './verified-tokens.ts';

export interface JwtOptions {
  readonly from: readonly TokenPlaceConfig[];
  readonly rules: TokenRules;
  /** Claim that is the name of the user. */
  readonly userClaim: string;
  /** Whether endpoints get the token too. */
  readonly forwardCredentials: boolean;
  readonly realm: string | null;
}

export interface JwtParts {
  readonly clock: Clock;
  readonly source: KeySource;
  readonly checks: TokenChecks;
}

/**
 * Signed tokens (RFC 7519) as credentials. One that was verified before is known at once, by its digest; of a new one everything that needs
 * no key is looked at before, so that only sound ones cost a signature, which is verified off the event loop.
 */
export function jwtAuthenticator(options: JwtOptions, { clock, source, checks }: JwtParts): Authenticator {
  const find = tokenPlace(options.from);
  const { missing, invalid } = bearerRefusals(options.realm);
  const known = { missing: refused(missing), ...faults(invalid) };
  const { forwardCredentials } = options;
  const parameters = options.from.flatMap((place) =>
    typeof place === 'object' && 'query' in place ? [toOctets(place.query)] : [],
  );
  return {
    scheme: 'jwt',
    ...(forwardCredentials
      ? { forwardedFields: fieldsOf(options.from) }
      : { credentialFields: fieldsOf(options.from) }),
    presents: (request) => find(request).kind !== 'none',
    authenticate(request) {
      const found = find(request);
      if (found.kind === 'none') return known.missing;
      if (found.kind === 'many') return known['token-malformed'];
      const digest = tokenDigest(found.token);
      const nowMs = clock.now();
      const cookie = forwardCredentials ? null : found.cookie;
      const identity = checks.verified.get(digest, source.current, nowMs);
      if (identity !== null) return { kind: 'known', identity: ofRequest(identity, request, cookie) };
      const token = readToken(found.token);
      if (token === null) return known['token-malformed'];
      const vetted = vet(token, options.rules, nowMs);
      if (!vetted.ok) return known[vetted.why];
      const identify = () => identityOf(token, options);
      const { untilMs } = vetted;
      const settle = (checked: Checked): AuthResult => {
        if (checked.kind === 'refused') return known[checked.why];
        if (checked.kind === 'unavailable') return refused(cannotVerify(checked.why, source.retryAfterSeconds));
        const made = identify();
        checks.verified.add(digest, { identity: made, keys: checked.keys, untilMs, length: found.token.length });
        return { kind: 'known', identity: ofRequest(made, request, cookie) };
      };
      let letGo: (() => void) | null = null;
      return {
        kind: 'ask',
        whom: `the verifier of signatures (keys of ${source.name})`,
        begin: (done) => {
          letGo = checks.check(digest, token, { source, done: (checked) => done(settle(checked)) });
        },
        cancel: () => letGo?.(),
      };
    },
    hideCredentials(request) {
      if (forwardCredentials) return;
      for (const name of parameters) {
        if (request.query !== null) request.query = takeParameter(request.query, name).rest;
      }
    },
  };
}

function refused(error: GatewayError): AuthResult {
  return { kind: 'refused', error };
}

function faults(errors: ReturnType<typeof bearerRefusals>['invalid']): Readonly<Record<TokenFault, AuthResult>> {
  const results = Object.entries(errors).map(([why, error]) => [why, refused(error)]);
  return Object.fromEntries(results) as Record<TokenFault, AuthResult>;
}

function identityOf({ claims }: ReadToken, { userClaim, forwardCredentials }: JwtOptions): Identity {
  const user = toOctets(claimText(claims, userClaim));
  return {
    ...{ scheme: 'jwt', user, claims, fields: [], removes: null, cookie: null },
    seesCredentials: forwardCredentials,
  };
}

/** `cookie`: the one with the token in it, which goes no further. */
function ofRequest(identity: Identity, request: PolicyRequest, cookie: string | null): Identity {
  if (cookie === null) return identity;
  return { ...identity, cookie: cookiesWithout(request.request.headers, cookie) };
}

/** Fields that a token may be in, lower case. */
function fieldsOf(from: readonly TokenPlaceConfig[]): readonly string[] {
  return from.flatMap((place) => {
    if (place === 'bearer') return ['authorization'];
    return 'header' in place ? [place.header.toLowerCase()] : [];
  });
}
