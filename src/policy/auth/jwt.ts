import type { Clock } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import { claimText, type Identity, userOf } from '../identity.ts';
import { toOctets } from '../octets.ts';
import type { Authenticator, AuthResult } from './authenticator.ts';
import { bearerRefusals, cannotVerify } from './bearer-refusals.ts';
import { fieldOf, hideTokens } from './hidden-tokens.ts';
import { type TokenFault, type TokenRules, vet } from './jwt-claims.ts';
import { type ReadToken, readToken } from './jwt-form.ts';
import type { Checked, TokenChecks } from './token-checks.ts';
import type { KeySource } from './token-keys.ts';
import { type TokenPlaceConfig, tokenPlace } from './token-place.ts';
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
  const hide = hideTokens(options.from);
  const { missing, invalid } = bearerRefusals(options.realm);
  const known = { missing: refused(missing), ...faults(invalid) };
  const { forwardCredentials } = options;
  const fields = options.from.flatMap((place) => fieldOf(place) ?? []);
  return {
    scheme: 'jwt',
    credentialFields: fields,
    ...(forwardCredentials ? { forwardedFields: fields } : {}),
    presents: (request) => find(request).kind !== 'none',
    authenticate(request) {
      const found = find(request);
      if (found.kind === 'none') return known.missing;
      if (found.kind === 'many') return known['token-malformed'];
      const digest = tokenDigest(found.token);
      const nowMs = clock.now();
      const identity = checks.verified.get(digest, source.current, nowMs);
      if (identity !== null) return { kind: 'known', identity };
      const token = readToken(found.token);
      if (token === null) return known['token-malformed'];
      const vetted = vet(token, options.rules, nowMs);
      if (!vetted.ok) return known[vetted.why];
      const identify = () => identityOf(token, digest, options);
      const { untilMs } = vetted;
      const settle = (checked: Checked): AuthResult => {
        if (checked.kind === 'refused') return known[checked.why];
        if (checked.kind === 'unavailable') return refused(cannotVerify(checked.why, source.retryAfterSeconds));
        // They have changed meanwhile, or it was looked at for a configuration of before.
        if (checked.keys !== source.current) return ask();
        const made = identify();
        checks.verified.add(digest, { identity: made, keys: checked.keys, untilMs, length: found.token.length });
        return { kind: 'known', identity: made };
      };
      const ask = (): AuthResult => {
        let letGo: (() => void) | null = null;
        return {
          kind: 'ask',
          whom: `the verifier of signatures (keys of ${source.name})`,
          begin: (done) => {
            letGo = checks.check(digest, token, { source, done: (checked) => done(settle(checked)) });
          },
          cancel: () => letGo?.(),
        };
      };
      return ask();
    },
    hideCredentials(request, decided) {
      hide(request, decided && forwardCredentials);
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

function identityOf({ claims }: ReadToken, digest: string, options: JwtOptions): Identity {
  const { userClaim, forwardCredentials } = options;
  const user = toOctets(userOf(claims, userClaim));
  return {
    ...{ scheme: 'jwt', user, claims, fields: [], removes: null, cookie: null },
    seesCredentials: forwardCredentials,
    // Names are unique to who issues them (RFC 7519 §4.1.2).
    apart: user === '' ? digest : claimText(claims, 'iss'),
  };
}
