import { getHeader, type HeaderDraft, setHeader } from '../http/headers.ts';
import type { Progress } from './progress.ts';

/** A request asks by `X-Headgate-Explain: 1`. No endpoint gets it, whoever sent it. */
export const ASKING_FIELD = 'x-headgate-explain';
const ANSWERING_FIELD = 'X-Headgate-Explanation';

/** No value is longer, so that the field stays below 2 KiB. */
const LONGEST = 256;

/** Is this client to be told, with its response, what was done with its request? `isTrusted` takes an effective client address. */
export function wantsExplanation({ request, client }: Progress, isTrusted: (address: string) => boolean): boolean {
  return getHeader(request.headers, ASKING_FIELD)?.trim() === '1' && isTrusted(client.address);
}

/**
 * Adds what was done with the request, as far as it has come, to the head of its response: a Dictionary (RFC 9651 §3.2) of which every
 * value is a String. It goes to the one client that asked, and never into the cache.
 */
export function addExplanation(draft: HeaderDraft, progress: Progress, reason: string | null = null): void {
  const { route, routeAt, pool, endpoint, cacheReport, explainedTarget } = progress;
  const told: readonly (readonly [key: string, value: string | null | undefined])[] = [
    ['route', route],
    ['at', routeAt],
    ['pool', pool],
    ['endpoint', endpoint],
    ['target', explainedTarget],
    ['cache', cacheReport?.result],
    ['why', cacheReport?.why],
    ['reason', reason],
  ];
  const members = told.flatMap(([key, value]) => (value ? [`${key}=${quoted(value)}`] : []));
  // RFC 9651 §3.2: an empty dictionary is a field that is not there.
  if (members.length > 0) setHeader(draft, ANSWERING_FIELD, members.join(', '));
}

/** RFC 9651 §3.3.3. What is not visible ASCII may come from a file name, or from a client. */
function quoted(value: string): string {
  const short = value.length > LONGEST ? `${value.slice(0, LONGEST - 3)}...` : value;
  return `"${short.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, String.raw`\$&`)}"`;
}
