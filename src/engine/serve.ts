import type { Served } from '../cache/serve.ts';
import { serveEntry } from '../cache/serve.ts';
import { hitStatus } from '../cache/status.ts';
import type { ResponseHead, ResponseSink } from '../exchange/response-sink.ts';
import type { Decision } from './decide.ts';
import type { EngineParts } from './engine.ts';
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
  const headers = served.head.headers.slice();
  if (plan.editResponse !== null) plan.editResponse(headers, progress);
  if (progress.cacheStatus !== null) headers.push('Cache-Status', progress.cacheStatus);
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
