import type { DistantBody } from '../cache/second-tier.ts';
import type { ByteSpan } from '../cache/stored-body.ts';
import { GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import { fail, internalError } from './fail.ts';
import type { Progress } from './progress.ts';

/** A stored response whose body has to be fetched before it is served. */
export interface DistantAnswer {
  readonly body: DistantBody;
  readonly span: ByteSpan | null;
  /** Sends the head, and the body from `source`. */
  readonly send: (source: BodySource) => void;
  /** What is done when the body can't be had; `null` to tell the client that it can't. */
  readonly unreadable: (() => void) | null;
}

/** Sends nothing before the first bytes of the body are there and right: what is not what was stored is no answer, instead of half of one. */
export function sendDistant(progress: Progress, { body, span, send, unreadable }: DistantAnswer): void {
  const { exchange } = progress;
  const before = exchange.onClientGone;
  const opening = body.open(span, (source) => {
    exchange.onClientGone = before;
    // A deadline may have answered meanwhile.
    if (exchange.response.phase !== 'open') {
      source?.discard();
      return;
    }
    try {
      if (source !== null) send(source);
      else if (unreadable !== null) unreadable();
      else fail(progress, bodyUnreadable());
    } catch (bug) {
      source?.discard();
      progress.bug = bug;
      fail(progress, internalError(bug));
    }
  });
  const clientGone = (cause: GatewayError): void => {
    opening.cancel();
    before?.(cause);
    fail(progress, cause);
  };
  exchange.onClientGone = clientGone;
}

function bodyUnreadable(): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 502, reason: 'stored-body-unreadable' });
}
