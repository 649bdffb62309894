import { parseHttpDate } from './date.ts';

/**
 * Milliseconds from `nowMs` that a `Retry-After` asks to wait (RFC 9110 §10.2.3): whole *seconds*, or until an HTTP date.
 * 0 for a date that has passed; `null` for a field that says neither, and for more seconds than ten digits hold.
 */
export function parseRetryAfter(value: string, nowMs: number): number | null {
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const date = parseHttpDate(text, nowMs);
  return date === null ? null : Math.max(0, date - nowMs);
}
