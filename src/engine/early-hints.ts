import { hintsOf } from '../cache/learned-links.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { getHeader } from '../http/headers.ts';
import type { Caching } from './caching.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';

/**
 * Tells the client what the page that it has to wait for announced when it was stored before (RFC 8297), as the route's edits would
 * have it. To be called before the request goes out; only the first time counts, and nothing is done where nothing was learned, or the
 * client could not use it.
 */
export function sendEarlyHints(progress: Progress, plan: RoutePlan, { policy, request, lookup }: Caching): void {
  if (!policy.earlyHints || progress.hinted || lookup.kind === 'bypass' || request.method !== 'GET') return;
  progress.hinted = true;
  const { exchange, edition } = progress;
  if (!takesHints(exchange)) return;
  const { links, store } = edition.snapshot.cache;
  const learned = links.hintsFor(request, store);
  if (learned === null) return;
  const draft = learned.slice();
  if (plan.editResponse !== null) plan.editResponse(draft, progress);
  const hints = plan.editResponse === null ? draft : hintsOf(draft);
  if (hints.length === 0) return;
  links.sent(progress.route);
  exchange.response.informational(103, hints);
}

/**
 * Browsers use them for navigations only. Over HTTP/2 a client can take what it does not know, so one that does not say what it is
 * after gets them too. Over HTTP/1.1 there are clients, and proxies, that take an interim response for the final one (RFC 8297 §3):
 * a browser that navigates is known not to be one, and a proxy that we trust is known to be a proxy.
 */
function takesHints({ request, client }: Exchange): boolean {
  if (request.version === '1.0') return false;
  const mode = getHeader(request.headers, 'sec-fetch-mode');
  if (request.version === '2') return mode === null || mode === 'navigate';
  return mode === 'navigate' && !client.trusted;
}
