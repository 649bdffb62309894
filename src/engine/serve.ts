import type { Served } from '../cache/serve.ts';
import { serveEntry } from '../cache/serve.ts';
import { hitStatus } from '../cache/status.ts';
import type { ResponseHead, ResponseSink } from '../exchange/response-sink.ts';
import { type HeaderDraft, setHeader } from '../http/headers.ts';
import type { Decision } from './decide.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';

/** Answers from the store. What is stored is the origin's answer; what policies add is added every time. */
export function serve(parts: EngineParts, progress: Progress, decision: Decision & { readonly kind: 'serve' }): void {
  progress.cacheStatus = hitStatus(decision.found);
  deliverStored(progress, decision.plan, serveEntry(decision.found.entry, decision.request, parts.clock.now()));
}

/** Sends a stored response, dressed for this client. Expects `progress.cacheStatus` to be set. */
export function deliverStored(progress: Progress, plan: RoutePlan, served: Served): void {
  const { response } = progress.exchange;
  const headers = dress(progress, plan, served.head.headers, null);
  const head: ResponseHead = { status: served.head.status, headers };
  progress.status = head.status;
  const { chunks } = served;
  if (chunks === null || chunks.length <= 1) {
    response.respond(head, chunks?.[0] ?? null);
    return;
  }
  response.start(head);
  pour(response, chunks);
}

/** What is added to every response of a route, whether it comes from an endpoint or from the store. Edits `draft` in place. */
export function dress(progress: Progress, plan: RoutePlan, draft: HeaderDraft, setCookie: string | null): HeaderDraft {
  // In place of the endpoint's own: it speaks for a connection that it does not see. The route's edits have the last word.
  if (progress.hsts !== null) setHeader(draft, 'Strict-Transport-Security', progress.hsts);
  if (plan.editCookies !== null) plan.editCookies(draft);
  if (plan.editResponse !== null) plan.editResponse(draft, progress);
  if (progress.splitCookie !== null) draft.push('Set-Cookie', progress.splitCookie);
  if (setCookie !== null) draft.push('Set-Cookie', setCookie);
  if (progress.cacheStatus !== null) draft.push('Cache-Status', progress.cacheStatus);
  return draft;
}

/** Writes stored chunks as fast as the client takes them; one that left takes no more. */
function pour(response: ResponseSink, chunks: readonly Uint8Array[]): void {
  let next = 0;
  const write = (): void => {
    while (next < chunks.length && response.phase === 'started') {
      const taken = response.data(chunks[next] as Uint8Array);
      next += 1;
      if (!taken) return;
    }
    if (response.phase === 'started') response.end(null);
  };
  response.onDrain = write;
  write();
}
