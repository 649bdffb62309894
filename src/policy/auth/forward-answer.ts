import type { LocalReply } from '../../exchange/local-reply.ts';
import { parseCacheControl } from '../../http/cache-control.ts';
import { getCombined, type HeaderDraft, type HeaderList, hasHeader, isNamed } from '../../http/headers.ts';
import { responseEndToEnd } from '../../http/hop-by-hop.ts';
import { sliceTrimmed } from '../../http/octets.ts';
import type { Identity } from '../identity.ts';
import { FIELD_VALUE, fromOctets, translate } from '../octets.ts';

/** What an auth service has answered. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Why the body is not whole, and then empty. */
  readonly lacks?: 'answer-too-large' | 'broken';
}

export interface AnswerOptions {
  /** Names, in the case in which they go on, of fields that tell the endpoint who it is. */
  readonly responseHeaders: readonly string[];
  /** Lower-case name of the field with the name of the user; `null` for none. */
  readonly userHeader: string | null;
  /** `Set-Cookie` of a "yes" goes to the client. */
  readonly setCookies: boolean;
  /** Lower-case names of fields of a "no" that go to the client. */
  readonly refusalHeaders: ReadonlySet<string>;
  /** A longer body of a "no" is left out. */
  readonly refusalBodyBytes: number;
}

/** What it means. `failed`: nobody said yes or no. `strange`: it said something that is neither. */
export type ServiceVerdict =
  | { readonly kind: 'allow'; readonly identity: Identity; readonly setCookies: readonly string[] }
  | { readonly kind: 'deny'; readonly reply: LocalReply }
  | { readonly kind: 'failed' }
  | { readonly kind: 'strange' };

/** For how long answers may be kept, beside what the service says of it. */
export interface KeepOptions {
  readonly longestMs: number;
  readonly refusals: boolean;
}

export type Judged = ServiceVerdict & {
  /** Others who have asked the same at the same time may have it too: it brings no cookie, and the service allows it to be stored. */
  readonly isForAll: boolean;
  /** How long it may be kept; 0 for not at all. */
  readonly keepMs: number;
};

/** What identity fields may be together: endpoints take heads of 8 or 16 KiB. */
const MAX_FIELD_OCTETS = 8_192;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Of the answers of a service: 2xx is yes; 401, 403 and redirects are no; 5xx, and a yes that breaks off, is no answer. */
export function judge(answer: ServiceAnswer, options: AnswerOptions, keep: KeepOptions): Judged {
  const headers = responseEndToEnd(answer.headers);
  const verdict = verdictOf({ ...answer, headers }, options);
  if (verdict.kind === 'failed' || verdict.kind === 'strange') return { ...verdict, isForAll: true, keepMs: 0 };
  const { noStore, noCache, maxAgeS } = parseCacheControl(getCombined(headers, 'cache-control'));
  const isForAll = !noStore && !bringsCookie(verdict);
  const isKept = isForAll && !noCache && (verdict.kind === 'allow' || keep.refusals);
  const saidMs = maxAgeS === null ? keep.longestMs : maxAgeS * 1000;
  return { ...verdict, isForAll, keepMs: isKept ? Math.min(keep.longestMs, saidMs) : 0 };
}

function bringsCookie(verdict: ServiceVerdict & { readonly kind: 'allow' | 'deny' }): boolean {
  return verdict.kind === 'allow' ? verdict.setCookies.length > 0 : hasHeader(verdict.reply.headers, 'set-cookie');
}

/** No answer came. */
export const noAnswer: Judged = { kind: 'failed', isForAll: true, keepMs: 0 };

function verdictOf(answer: ServiceAnswer, options: AnswerOptions): ServiceVerdict {
  const { status, headers, lacks } = answer;
  if (status >= 200 && status < 300) return lacks === 'broken' ? { kind: 'failed' } : allowed(headers, options);
  const isRedirect = REDIRECTS.has(status) && hasHeader(headers, 'location');
  if (status === 401 || status === 403 || isRedirect) {
    return { kind: 'deny', reply: replyOf(answer, options) };
  }
  return { kind: status >= 500 ? 'failed' : 'strange' };
}

function allowed(headers: HeaderList, options: AnswerOptions): ServiceVerdict {
  const { responseHeaders, userHeader, setCookies } = options;
  const fields: HeaderDraft = [];
  const claims: Record<string, string> = {};
  for (const name of responseHeaders) {
    const values = valuesOf(headers, name.toLowerCase());
    for (const value of values) fields.push(name, value);
    if (values.length > 0) claims[name] = fromOctets(values.join(', '));
  }
  const octets = fields.reduce((sum, text) => sum + text.length, 0);
  // Cut off, they would say something else.
  if (octets > MAX_FIELD_OCTETS) return { kind: 'strange' };
  const user = userHeader === null ? '' : (valuesOf(headers, userHeader)[0] ?? '');
  const identity = { ...anonymous, user, claims, fields };
  return { kind: 'allow', identity, setCookies: setCookies ? valuesOf(headers, 'set-cookie') : [] };
}

/** Whoever is let through although nobody said who it is. */
export const anonymous: Identity = {
  ...{ scheme: 'forward', user: '', claims: {}, fields: [], removes: null, cookie: null },
  seesCredentials: true,
};

function valuesOf(headers: HeaderList, lower: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (isNamed(headers[i] as string, lower)) values.push(clean(headers[i + 1] as string));
  }
  return values;
}

/** Whatever a transport lets through, no value ends its line. */
function clean(value: string): string {
  const line = translate(value, FIELD_VALUE);
  return sliceTrimmed(line, 0, line.length);
}

function replyOf({ status, headers, body: sent }: ServiceAnswer, options: AnswerOptions): LocalReply {
  const { refusalHeaders, refusalBodyBytes } = options;
  const body = sent.byteLength > refusalBodyBytes ? new Uint8Array() : sent;
  const draft: HeaderDraft = [];
  const hasBody = body.byteLength > 0;
  for (let i = 0; i < headers.length; i += 2) {
    const lower = (headers[i] as string).toLowerCase();
    if (refusalHeaders.has(lower) || (hasBody && OF_BODIES.has(lower))) {
      draft.push(headers[i] as string, clean(headers[i + 1] as string));
    }
  }
  // Only for who has asked: the same URL is another page for the next one.
  draft.push('Cache-Control', 'no-store', 'Content-Length', String(body.byteLength));
  return { status, headers: draft, body, reason: 'auth-service-refused', error: 'http_request_denied' };
}

const OF_BODIES: ReadonlySet<string> = new Set(['content-type', 'content-encoding', 'content-language']);
