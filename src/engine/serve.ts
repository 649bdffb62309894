import { isDistant } from '../cache/second-tier.ts';
import type { Served } from '../cache/serve.ts';
import { serveEntry } from '../cache/serve.ts';
import { hitReport } from '../cache/status.ts';
import type { ByteSpan } from '../cache/stored-body.ts';
import type { GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { type HeaderDraft, setHeader } from '../http/headers.ts';
import type { Decision } from './decide.ts';
import { sendDistant } from './distant.ts';
import { addExplanation } from './explanation-field.ts';
import { fail } from './fail.ts';
import { editInbound } from './inbound.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { ResponseFeed } from './response-feed.ts';
import type { RoutePlan } from './snapshot.ts';

/** Answers from the store. What is stored is the origin's answer; what policies add is added every time. */
export function serve(
  parts: EngineParts,
  progress: Progress,
  decision: Decision & { readonly kind: 'serve' },
  unreadable: () => void,
): void {
  progress.cacheReport = hitReport(decision.found);
  const served = serveEntry(decision.found.entry, decision.request, parts.clock.now());
  deliverStored(progress, decision.plan, served, unreadable);
}

/**
 * Sends a stored response, dressed for this client. Expects `progress.cacheReport` to be set. `unreadable`: what is done, later, when
 * its body is elsewhere and can't be had; without it the client is told so.
 */
export function deliverStored(
  progress: Progress,
  plan: RoutePlan,
  served: Served,
  unreadable: (() => void) | null = null,
): void {
  if (served.body !== null && served.body.chunks === null && isDistant(served.body)) {
    const { body, span, head } = served;
    const send = (source: BodySource): void => {
      progress.status = head.status;
      sendBody(progress, { status: head.status, headers: dress(progress, plan, head.headers, null) }, source);
    };
    sendDistant(progress, { body, span, send, unreadable });
    return;
  }
  const { response } = progress.exchange;
  progress.status = served.head.status;
  const headers = dress(progress, plan, served.head.headers, null);
  const head: ResponseHead = { status: served.head.status, headers, common: served.common ?? null };
  const { body, span } = served;
  // One write for what fits into one.
  if (body === null) response.respond(head, null);
  else if (body.chunks !== null && body.chunks.length <= 1)
    response.respond(head, pieceOf(body.chunks[0] ?? null, span));
  else sendBody(progress, head, body.read(span));
}

function pieceOf(chunk: Uint8Array | null, span: ByteSpan | null): Uint8Array | null {
  return chunk === null || span === null ? chunk : chunk.subarray(span.from, span.to);
}

function sendBody(progress: Progress, head: ResponseHead, source: BodySource): void {
  const { exchange } = progress;
  const before = exchange.onClientGone;
  const feed = new ResponseFeed(progress, source);
  const gone = (cause: GatewayError): void => {
    feed.stop();
    before?.(cause);
    fail(progress, cause);
  };
  exchange.onClientGone = gone;
  exchange.response.start(head);
  feed.begin();
}

/** What is added to every response of a route, whether it comes from an endpoint or from the store. Edits `draft` in place; the status is noted already. */
export function dress(progress: Progress, plan: RoutePlan, draft: HeaderDraft, setCookie: string | null): HeaderDraft {
  // In place of the endpoint's own: it speaks for a connection that it does not see. The route's edits have the last word.
  if (progress.hsts !== null) setHeader(draft, 'Strict-Transport-Security', progress.hsts);
  if (progress.policies !== null) editInbound(draft, progress, progress.policies);
  if (plan.editCookies !== null) plan.editCookies(draft);
  if (plan.editResponse !== null) plan.editResponse(draft, progress);
  if (progress.splitCookie !== null) draft.push('Set-Cookie', progress.splitCookie);
  if (setCookie !== null) draft.push('Set-Cookie', setCookie);
  if (progress.responseFields !== null) draft.push(...progress.responseFields);
  if (progress.cacheReport !== null) draft.push('Cache-Status', progress.cacheReport.header);
  if (progress.explains) addExplanation(draft, progress);
  return draft;
}
