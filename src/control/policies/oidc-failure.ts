import { GatewayError } from '../../errors.ts';
import type { ProviderFailure } from '../../policy/auth/oidc/provider.ts';

/** What a request to a provider came to, and in words for operators: codes alone, nothing that a provider or a browser sent along. */
export interface OidcFailure {
  readonly why: ProviderFailure;
  readonly detail: string;
}

/** Errors of OpenID Connect Core 1.0 §3.1.2.6 and RFC 6749 §4.1.2.1 that are about the user. */
const DENIALS: ReadonlySet<string> = new Set([
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'login_required',
]);

/** Not the answer of a provider that is well: a page of a proxy before it, a status it should not have. */
const ILL: ReadonlySet<string> = new Set([
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
]);

/** Of what `openid-client` throws. */
export function failureOf(error: unknown): OidcFailure {
  const gateway = gatewayErrorIn(error);
  if (gateway !== null) return { why: 'unavailable', detail: `${gateway.code} ${gateway.reason}` };
  const { code, error: named, name } = error as { code?: unknown; error?: unknown; name?: string };
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') return { why: saidTo(named), detail: `login: ${word(named)}` };
  if (code === 'OAUTH_RESPONSE_BODY_ERROR') {
    // Everything but this is about the gateway: its secret is wrong, it may not do this.
    return { why: named === 'invalid_grant' ? 'refused' : 'unavailable', detail: `token endpoint: ${word(named)}` };
  }
  if (typeof code === 'string') return { why: ILL.has(code) ? 'unavailable' : 'refused', detail: code };
  return { why: 'unavailable', detail: name ?? 'unknown' };
}

/** The token endpoint does not take the gateway for who it says it is (RFC 6749 §5.2). */
export function isClientRefused(error: unknown): boolean {
  return (error as { error?: unknown }).error === 'invalid_client';
}

function saidTo(error: unknown): ProviderFailure {
  if (error === 'server_error' || error === 'temporarily_unavailable') return 'unavailable';
  return typeof error === 'string' && DENIALS.has(error) ? 'denied' : 'refused';
}

function gatewayErrorIn(error: unknown): GatewayError | null {
  let cause: unknown = error;
  // Never deeper in practice.
  for (let depth = 0; depth < 4 && cause instanceof Error; depth += 1) {
    if (cause instanceof GatewayError) return cause;
    cause = cause.cause;
  }
  return null;
}

/** A registered error code; anybody may send another one by a link. */
function word(text: unknown): string {
  return typeof text === 'string' && /^[a-z_]{1,40}$/.test(text) ? text : 'an unknown error';
}
