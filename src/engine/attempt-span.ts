import type { Clock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import type { AttemptTrace } from '../exchange/trace.ts';
import { type HeaderList, isNamed } from '../http/headers.ts';
import type { EndpointAttempt } from './endpoint-attempt.ts';
import type { Outbound } from './outbound.ts';
import type { Progress } from './progress.ts';
import { type OwnTrace, traceparentFrom } from './trace.ts';
import { newSpanId } from './trace-ids.ts';

/** What is known of one attempt for its span. Made only where spans are: all other attempts have `null` in its place. */
export class AttemptSpan implements AttemptTrace {
  readonly spanId = newSpanId();
  readonly destination: AttemptTrace['destination'];
  readonly path: string;
  readonly resends: number;
  readonly why: string | null;
  readonly startedMs: number;
  sentMs = -1;
  answeredMs = -1;
  endedMs = -1;
  status = 0;
  reusedConnection = false;
  error: string | null = null;
  onEnd: (() => void) | null = null;
  readonly #clock: Clock;
  /** When the exchange began, on the monotonic clock. */
  readonly #origin: number;

  constructor(progress: Progress, { endpoint }: EndpointAttempt, parts: Pick<AttemptTrace, 'path' | 'why'> & With) {
    const { host, port, socketPath, tls, protocol } = endpoint.destination;
    const version = protocol === 'auto' ? null : protocol === 'http2' ? '2' : '1.1';
    this.destination = { host: endpoint.name ?? host, port, socketPath, secure: tls !== null, version };
    this.path = parts.path;
    this.resends = progress.attempts - 1;
    this.why = parts.why;
    this.#clock = parts.clock;
    this.#origin = progress.startedAt;
    this.startedMs = parts.clock.monotonic() - progress.startedAt;
  }

  /** It failed, or is given up for this. */
  failed(cause: GatewayError | null): void {
    if (cause !== null) this.error ??= cause.reason;
  }

  /** `attempt` is over. */
  end(attempt: EndpointAttempt): void {
    this.status = attempt.status;
    this.reusedConnection = attempt.reusedConnection;
    if (attempt.sentAt !== 0) this.sentMs = attempt.sentAt - this.#origin;
    if (attempt.answeredAt !== 0) this.answeredMs = attempt.answeredAt - this.#origin;
    // A hedge that another attempt was faster than, say: nothing was wrong with it.
    if (this.status === 0) this.error ??= 'cancelled';
    this.endedMs = this.#clock.monotonic() - this.#origin;
    this.onEnd?.();
  }
}

interface With {
  readonly clock: Clock;
}

/** `attempt` gets a span, and its request says so. To be called before it begins, when the exchange has counted it. */
export function withSpan(attempt: EndpointAttempt, outbound: Outbound, on: With & { progress: Progress }): Outbound {
  const { trace } = on.progress;
  if (trace === null || trace.attempts === null) return outbound;
  const mark = outbound.target.indexOf('?');
  const path = mark === -1 ? outbound.target : outbound.target.slice(0, mark);
  const span = new AttemptSpan(on.progress, attempt, { clock: on.clock, path, why: whyOf(on.progress, trace) });
  trace.attempts.push(span);
  attempt.span = span;
  return { target: outbound.target, headers: renamed(outbound.headers, trace, span.spanId) };
}

/** The list of retries has an entry more, if this is one. */
function whyOf({ retries }: Progress, trace: OwnTrace): string | null {
  if (retries === null || retries.length === trace.retriesSeen) return null;
  trace.retriesSeen = retries.length;
  return retries[retries.length - 1] as string;
}

/** A field that the route's edits have removed or set themselves stays so. */
function renamed(headers: HeaderList, trace: OwnTrace, spanId: string): HeaderList {
  const ours = traceparentFrom(trace, trace.spanId);
  const draft = headers.slice();
  for (let i = 0; i < draft.length; i += 2) {
    if (draft[i + 1] === ours && isNamed(draft[i] as string, 'traceparent')) {
      draft[i + 1] = traceparentFrom(trace, spanId);
    }
  }
  return draft;
}
