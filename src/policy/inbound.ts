import type { HeaderDraft } from '../http/headers.ts';
import type { PolicyRequest } from './admit.ts';

/** In this order, before the route's own `responseHeaders`, which have the last word. */
export const INBOUND_PHASES = ['securityHeaders', 'cors', 'responseHeaders'] as const;

export type InboundPhase = (typeof INBOUND_PHASES)[number];

/** Changes the head of every response of a route, whoever made it: an endpoint, the cache, a fixed response, a refusal. Hot. */
export interface InboundPolicy {
  readonly phase: InboundPhase;
  /** `status`: of the response. */
  edit(draft: HeaderDraft, request: PolicyRequest, status: number): void;
}
