import { parseHttpDate } from '../../../http/date.ts';
import type { HeaderList } from '../../../http/headers.ts';
import { getHeader } from '../../../http/headers.ts';

/** What an authority may tell about one failure; more of it is cut off. */
const DETAIL_CHARACTERS = 500;
const SUBPROBLEMS = 10;
/** A week: longer than any rate limit of a public authority, and short enough to come back from a mistake of theirs. */
const MAX_RETRY_AFTER_MS = 7 * 86_400_000;
const URN = 'urn:ietf:params:acme:error:';

/** An order that came to nothing. The message says why in words, for the log. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError';
  /** Enumerated by RFC 8555 §6.7 and Headgate, kebab-case: `rate-limited`, `bad-nonce`, `order-timeout`. */
  readonly reason: string;
  /** The authority wants to be left alone for that long; `null` when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(reason: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The failure that a problem document (RFC 7807, RFC 8555 §6.7) describes. `json` is anything that was read. */
export function problemError(json: unknown, status: number, retryAfterMs: number | null = null): AcmeError {
  const type = textOf(json, 'type');
  const reason = type?.startsWith(URN) === true ? kebab(type.slice(URN.length)) : `http-${status}`;
  return new AcmeError(reason, inWords(json) ?? `The answer was ${status} without a reason`, retryAfterMs);
}

/** `rateLimited: too many certificates (shop.example: dns: no such name)`; `null` for what is no problem document. */
function inWords(json: unknown): string | null {
  const type = textOf(json, 'type');
  const detail = textOf(json, 'detail');
  if (type === null && detail === null) return null;
  const parts = [type?.replace(URN, ''), detail].filter((part) => part !== null && part !== undefined);
  const own = parts.join(': ').slice(0, DETAIL_CHARACTERS);
  const below = subproblemsOf(json).flatMap((problem) => {
    const words = inWords({ ...(problem as object), subproblems: [] });
    if (words === null) return [];
    const name = textOf(memberOf(problem, 'identifier'), 'value');
    return [name === null ? words : `${name}: ${words}`];
  });
  return below.length === 0 ? own : `${own} (${below.join('; ')})`;
}

function subproblemsOf(json: unknown): readonly unknown[] {
  const list = memberOf(json, 'subproblems');
  return Array.isArray(list) ? list.slice(0, SUBPROBLEMS) : [];
}

function memberOf(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined;
}

function textOf(json: unknown, name: string): string | null {
  const value = memberOf(json, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Only what names are made of: this becomes a label of metrics. */
function kebab(camel: string): string {
  const words = camel.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return /^[a-z][a-z-]{0,39}$/.test(words) ? words : 'unknown-problem';
}

/** `Retry-After` in either form (RFC 9110 §10.2.3), in milliseconds from `nowMs`, a week at most; `null` without a usable one. */
export function retryAfterMs(headers: HeaderList, nowMs: number): number | null {
  const value = getHeader(headers, 'retry-after');
  if (value === null) return null;
  const at = parseHttpDate(value, nowMs);
  const delayMs = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : at === null ? null : at - nowMs;
  return delayMs === null ? null : Math.min(Math.max(delayMs, 0), MAX_RETRY_AFTER_MS);
}
