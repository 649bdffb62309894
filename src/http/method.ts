import { isTchar } from './octets.ts';

/** A non-empty token (RFC 9110 §5.6.2): what a method or a field name may be. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (!isTchar(text.charCodeAt(i))) return false;
  return text.length > 0;
}

/** The client asks for nothing to be changed (RFC 9110 §9.2.1), QUERY included. Methods are case-sensitive: `get` is unknown, so not safe. */
export function isSafe(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
    case 'QUERY':
      return true;
    default:
      return false;
  }
}

/** Sending it twice has the effect of sending it once (RFC 9110 §9.2.2). An unknown method is not idempotent. */
export function isIdempotent(method: string): boolean {
  return method === 'PUT' || method === 'DELETE' || isSafe(method);
}
