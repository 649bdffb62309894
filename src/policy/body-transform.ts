import type { BodySink } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { HeaderDraft } from '../http/headers.ts';
import type { PolicyRequest } from './admit.ts';
import type { Variables } from './variables.ts';

/** A body on its way through a transformation. Must not throw, nor call its sink once it is stopped. */
export interface BodyFilter extends BodySink {
  /** Nobody wants what is left: lets go of everything, and says nothing more. Idempotent; may follow anything. */
  stop(): void;
}

/** What becomes of a response whose body is changed on its way. */
export interface TransformedHead {
  /** The head as it goes on: length, coding, tag and `Vary` as they are now. The list is the caller’s own. */
  readonly head: { readonly status: number; readonly headers: HeaderDraft };
  /** Puts the transformation in front of `into`; `null`: the body stays as it is, and only the head has changed. */
  readonly through: ((into: BodySink) => BodyFilter) | null;
}

/** What is known of a response besides its head. */
export interface ResponseFacts {
  /** False for HEAD, whose head says what that of GET would. */
  readonly hasBody: boolean;
  /** The client’s, or where the response may be stored the one that selects a stored variant; `null` for none. */
  readonly acceptEncoding: string | null;
  /** The client’s, which a 304 is the answer to; `null` for none, and where the cache has asked by a condition of its own. */
  readonly ifNoneMatch: string | null;
}

/**
 * Changes bodies of responses on their way from the endpoint, before the cache: what is stored is what was made. Bounded memory, back-pressure
 * both ways, and what has come is passed on when the endpoint pauses.
 */
export interface BodyTransform {
  /** Content codings that it makes, in the server’s order of preference; `null` for one that makes none. */
  readonly codings: readonly string[] | null;
  /** Changes the request so that what comes back can be transformed; `null` for nothing to change. */
  readonly ask: ((draft: HeaderDraft, request: PolicyRequest) => void) | null;
  /** What it writes into bodies for this request: no two requests that differ in it share a stored response. `null`: always the same. */
  readonly written: ((variables: Variables) => string) | null;
  /**
   * `null`: this response stays as it is, head and body. Hot for every response of the route, 304 included; not for upgrades, and not for
   * those that are known to have no body.
   */
  transform(head: ResponseHead, request: PolicyRequest, facts: ResponseFacts): TransformedHead | null;
}
