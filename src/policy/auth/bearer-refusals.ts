import { GatewayError } from '../../errors.ts';
import type { TokenFault } from './jwt-claims.ts';

/** For people who write clients (RFC 6750 §3); nothing that the sender does not know. */
const DESCRIPTIONS: Readonly<Record<TokenFault, string>> = {
  'token-malformed': 'The token is malformed',
  'token-algorithm': 'The token is signed in another way than is accepted',
  'token-type': 'The token is of another type',
  'token-expired': 'The token has expired',
  'token-not-yet-valid': 'The token is not valid yet',
  'token-issuer': 'The token is from another issuer',
  'token-audience': 'The token is meant for others',
  'token-claim-missing': 'The token lacks a claim',
  'token-key-unknown': 'The token is signed with an unknown key',
  'token-signature': 'The signature is wrong',
};

/** How clients are asked for a token. */
export interface BearerRefusals {
  /** No token: nothing is said of an error (RFC 6750 §3.1). */
  readonly missing: GatewayError;
  readonly invalid: Readonly<Record<TokenFault, GatewayError>>;
}

/** Made once: they say nothing of the request. `realm` is without quotes and backslashes. */
export function bearerRefusals(realm: string | null): BearerRefusals {
  const challenge = realm === null ? 'Bearer' : `Bearer realm="${realm}"`;
  const invalid = Object.entries(DESCRIPTIONS).map(([reason, description]) => {
    const parameters = `error="invalid_token", error_description="${description}"`;
    return [reason, refusal(reason, `${challenge}${realm === null ? ' ' : ', '}${parameters}`)];
  });
  return {
    missing: refusal('token-missing', challenge),
    invalid: Object.fromEntries(invalid) as Record<TokenFault, GatewayError>,
  };
}

function refusal(reason: string, challenge: string): GatewayError {
  return new GatewayError('http_request_denied', {
    blame: 'client',
    status: 401,
    reason,
    fields: ['WWW-Authenticate', challenge],
  });
}

/** No keys, or too much to do: that says nothing of the token. */
export function cannotVerify(
  reason: 'jwks-unavailable' | 'token-checks-full',
  retryAfterSeconds: number,
): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 503, reason, retryAfterSeconds });
}
