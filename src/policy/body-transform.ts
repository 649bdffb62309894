import type { BodySink } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import type { PolicyRequest } from './admit.ts';

/** What becomes of a response whose body is changed on its way. */
export interface TransformedHead {
  /** The head as it goes on: length, coding, tag and `Vary` as they are now. */
  readonly head: ResponseHead;
  /** Puts the transformation in front of `into`; `null`: the body stays as it is, and only the head has changed. */
  readonly through: ((into: BodySink) => BodySink) | null;
}

/**
 * Changes bodies of responses on their way from the endpoint, before the cache: what is stored is what was made. Bounded memory, back-pressure
 * both ways, and what has come is passed on when the endpoint pauses.
 */
export interface BodyTransform {
  /** `null`: this response stays as it is, head and body. `hasBody` is false for HEAD, 204, 304. Hot for every response of the route. */
  transform(head: ResponseHead, request: PolicyRequest, hasBody: boolean): TransformedHead | null;
}
