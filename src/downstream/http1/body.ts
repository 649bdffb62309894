import { type BodyWire, RequestBody } from '../request-body.ts';
import type { HeadFacts } from './checks.ts';
import type { Http1Request } from './message.ts';

/** The body that a checked head announces (RFC 9112 §6.3), or `null` for none. */
export function bodyOf(request: Http1Request, facts: HeadFacts): RequestBody | null {
  if (facts.transferEncoding === null && (facts.contentLength === null || Number(facts.contentLength) === 0))
    return null;
  return new RequestBody(request, wireOf(request), facts.contentLength === null ? null : Number(facts.contentLength));
}

/** Reads and drops a body that nobody will ask for, within the usual bound. */
export function dropBody(request: Http1Request): void {
  new RequestBody(request, wireOf(request), null).discard();
}

function wireOf(request: Http1Request): BodyWire {
  return {
    get complete() {
      return request.complete;
    },
    get trailers() {
      return request.rawTrailers;
    },
    // Unread, and closed only after a while (`lingerAfterResponse`): closing on a client that still sends is a reset, which takes
    // the response from one that has not read it yet.
    stop: () => request.pause(),
  };
}
