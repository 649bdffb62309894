import { badRequest, type ErrorCode, GatewayError } from '../../../errors.ts';

const RETRY_SECONDS = 5;

function denied(reason: string, status: 401 | 403, fields: readonly string[] = []): GatewayError {
  return new GatewayError('http_request_denied', { blame: 'client', status, reason, fields });
}

/** For whoever is not a person before a browser. RFC 9110 §15.5.2 wants a challenge, and there is none registered for cookies. */
export function loginRequired(): GatewayError {
  return denied('login-required', 401, ['WWW-Authenticate', 'Cookie realm="login"']);
}

export function providerUnavailable(): GatewayError {
  const code: ErrorCode = 'destination_unavailable';
  const reason = 'oidc-unavailable';
  return new GatewayError(code, { blame: 'upstream', status: 503, reason, retryAfterSeconds: RETRY_SECONDS });
}

/** No login under way in this browser is the one that the provider answers. */
export function loginUnknown(): GatewayError {
  return badRequest('login-state-invalid');
}

/** The user would not, or the provider does not want them here. */
export function loginDenied(): GatewayError {
  return denied('login-denied', 403);
}

/** The provider does not stand by what was brought: a code of another login, or one that was used. */
export function loginRefused(): GatewayError {
  return denied('login-refused', 403);
}

/** The provider does not say by what name the user goes here. */
export function claimMissing(): GatewayError {
  return denied('login-claim-missing', 403);
}

/** What has to be remembered does not fit into cookies. */
export function sessionTooLarge(): GatewayError {
  const reason = 'oidc-session-too-large';
  return new GatewayError('proxy_configuration_error', { blame: 'gateway', status: 500, reason });
}

/** Another site wants to log somebody out. */
export function foreignLogout(): GatewayError {
  return denied('logout-cross-site', 403);
}

export function methodNotAllowed(allowed: string): GatewayError {
  const fields = ['Allow', allowed];
  return new GatewayError('http_request_error', { blame: 'client', status: 405, reason: 'method-not-allowed', fields });
}
