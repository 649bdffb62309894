import type { Clock } from '../../../clock.ts';
import type { GatewayError } from '../../../errors.ts';
import type { PolicyRequest } from '../../admit.ts';
import type { AuthResult } from '../authenticator.ts';
import { isThisLogin, type LoginAttempt, loginId } from './login-attempt.ts';
import { isOwnTarget } from './navigation.ts';
import { sendTo } from './pages.ts';
import type { OidcProvider, ProviderAnswer, ProviderFailure, ProviderTokens } from './provider.ts';
import {
  claimMissing,
  loginDenied,
  loginRefused,
  loginUnknown,
  methodNotAllowed,
  providerUnavailable,
  sessionTooLarge,
} from './refusals.ts';
import { addCookies, asked, type Sessions } from './sessions.ts';

export interface CallbackParts {
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly provider: OidcProvider;
}

/**
 * The way back from the provider (OpenID Connect Core 1.0 §3.1.2.5). Only the browser that began a login can end it, once: its cookie has what the
 * answer has to be about, and is gone with the response, whatever comes of it. A code that is used twice is refused by the provider.
 */
export function comeBack(request: PolicyRequest, parts: CallbackParts): AuthResult {
  const { clock, sessions, provider } = parts;
  const { method } = request.request;
  if (method !== 'GET' && method !== 'HEAD') return refused(methodNotAllowed('GET, HEAD'));
  const state = new URLSearchParams(request.query ?? '').getAll('state');
  const id = state.length === 1 ? loginId(state[0] as string) : null;
  const attempt = id === null ? null : sessions.login(request, id);
  const origin = sessions.origin(request);
  if (id === null || attempt === null || origin === null) return refused(loginUnknown());
  if (!isThisLogin(attempt, state[0] as string, clock.now())) return refused(loginUnknown());
  if (request.hypothetical) return { kind: 'reply', reply: sendTo(attempt.target, 303, 'login') };
  const callback = `${origin}${request.path}?${request.query}`;
  return asked(
    provider.whom,
    () => provider.redeem(callback, attempt),
    (answer) => {
      addCookies(request, [sessions.cookies(request).clearLogin(id)]);
      return ended(request, attempt, answer, sessions);
    },
  );
}

function ended(
  request: PolicyRequest,
  { target }: LoginAttempt,
  answer: ProviderAnswer<ProviderTokens>,
  sessions: Sessions,
): AuthResult {
  if (!answer.ok) return refused(failureOf(answer.why));
  const session = sessions.begin(answer.value);
  if (session === null) return refused(claimMissing());
  if (!sessions.keep(request, session)) return refused(sessionTooLarge());
  // It was one when it was sealed.
  return { kind: 'reply', reply: sendTo(isOwnTarget(target) ? target : '/', 303, 'login') };
}

function failureOf(why: ProviderFailure): GatewayError {
  if (why === 'unavailable') return providerUnavailable();
  return why === 'denied' ? loginDenied() : loginRefused();
}

function refused(error: GatewayError): AuthResult {
  return { kind: 'refused', error };
}
