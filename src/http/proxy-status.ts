import type { ErrorCode } from '../errors.ts';

/** Proxy-Status member for a response that Headgate made in place of the endpoint's (RFC 9209 §2). `status` is what the endpoint answered, if it did. */
export function proxyStatus(code: ErrorCode, status?: number): string {
  const member = `headgate; error=${code}`;
  return status === undefined ? member : `${member}; received-status=${status}`;
}

/** The same where all is well but the status that the endpoint answered, which is not passed on (RFC 9209 §2.1.4). */
export function proxyStatusReceived(status: number): string {
  return `headgate; received-status=${status}`;
}
