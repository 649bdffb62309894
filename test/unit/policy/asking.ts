import { type AskedRequest, policyRequest } from './policy-request.ts';

/** A request with exactly these fields. */
export function asking(
  headers: readonly string[],
  { request = {}, ...facts }: NonNullable<Parameters<typeof policyRequest>[0]> = {},
): AskedRequest {
  return policyRequest({ ...facts, request: { ...request, headers } });
}
