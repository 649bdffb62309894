import type { LocalReply } from '../exchange/local-reply.ts';
import { type HeaderDraft, setHeader } from '../http/headers.ts';
import { proxyStatus } from '../http/proxy-status.ts';
import { addExplanation } from './explanation-field.ts';
import { grpcCallOf, refuseCall } from './grpc.ts';
import { editInbound } from './inbound.ts';
import { PSEUDONYM } from './outbound.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';

/**
 * Answers an exchange without an endpoint. The route's response header edits apply to its replies too: a security header
 * that is missing on redirects would be a hole.
 */
export function respond(progress: Progress, reply: LocalReply, plan: RoutePlan | null): void {
  const { exchange } = progress;
  progress.endReason = reply.reason;
  progress.endError ??= reply.error;
  if (reply.error !== null && grpcCallOf(progress.request) !== null) {
    refuseCall(progress, { status: reply.status, code: reply.error, reason: reply.reason });
    return;
  }
  progress.status = reply.status;
  const headers: HeaderDraft = reply.headers.slice();
  if (progress.hsts !== null) setHeader(headers, 'Strict-Transport-Security', progress.hsts);
  if (progress.policies !== null) editInbound(headers, progress, progress.policies);
  if (plan !== null && plan.editResponse !== null) plan.editResponse(headers, progress);
  if (progress.responseFields !== null) headers.push(...progress.responseFields);
  // RFC 9209 §2: that it was us who answered, and why if it is a refusal.
  headers.push('Proxy-Status', reply.error === null ? PSEUDONYM : proxyStatus(reply.error));
  if (progress.explains) addExplanation(headers, progress, reply.reason);
  exchange.response.respond({ status: reply.status, headers }, reply.body);
}
