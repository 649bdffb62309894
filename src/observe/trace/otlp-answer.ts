import { getHeader, type HeaderList } from '../../http/headers.ts';
import { parseRetryAfter } from '../../http/retry-after.ts';

/** What a collector said. */
export interface OtlpAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** What is to become of the spans that were sent. */
export type OtlpVerdict =
  /** Taken, but for `rejected` of them, which are not to be sent again. */
  | { readonly kind: 'taken'; readonly rejected: number; readonly message: string | null }
  /** To be sent again; not before `afterMs`, `null` where the collector does not say. */
  | { readonly kind: 'again'; readonly afterMs: number | null; readonly why: string }
  /** Never to be sent again. */
  | { readonly kind: 'refused'; readonly why: string };

/** "OTLP/HTTP Response, Retryable Response Codes": all others must not be retried. */
const RETRYABLE = new Set([429, 502, 503, 504]);

/** No collector is obeyed that wants to be left alone for longer. */
const LONGEST_MS = 600_000;

export function judgeAnswer({ status, headers, body }: OtlpAnswer, nowMs: number): OtlpVerdict {
  if (status >= 200 && status < 300) return { kind: 'taken', ...partialSuccess(body) };
  if (!RETRYABLE.has(status)) return { kind: 'refused', why: `status-${status}` };
  const asked = getHeader(headers, 'retry-after');
  const afterMs = asked === null ? null : parseRetryAfter(asked, nowMs);
  return { kind: 'again', afterMs: afterMs === null ? null : Math.min(afterMs, LONGEST_MS), why: `status-${status}` };
}

/** `ExportTracePartialSuccess`; anything else that a collector may write into a success counts as nothing said. */
function partialSuccess(body: Uint8Array): { rejected: number; message: string | null } {
  const nothing = { rejected: 0, message: null };
  if (body.byteLength === 0) return nothing;
  try {
    const { partialSuccess: part } = JSON.parse(Buffer.from(body).toString()) as {
      partialSuccess?: { rejectedSpans?: unknown; errorMessage?: unknown } | null;
    };
    const rejected = Number(part?.rejectedSpans ?? 0);
    const { errorMessage } = part ?? {};
    return {
      rejected: Number.isInteger(rejected) && rejected > 0 ? rejected : 0,
      message: typeof errorMessage === 'string' && errorMessage !== '' ? errorMessage.slice(0, 200) : null,
    };
  } catch {
    // No JSON: some collectors answer with an empty protobuf message, or with a page.
    return nothing;
  }
}
