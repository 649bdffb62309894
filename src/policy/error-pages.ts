import type { GatewayError } from '../errors.ts';
import type { PolicyRequest } from './admit.ts';

export interface ErrorPage {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** Pages of the configuration's own for Headgate's own errors; never for those of endpoints. */
export interface ErrorPages {
  /** `html`: the built-in page in HTML. */
  page(error: GatewayError, request: PolicyRequest): ErrorPage | 'html';
  /** Statuses of endpoints whose responses are replaced by one; `null` for none. */
  readonly intercepts: ReadonlySet<number> | null;
}
