import type { ExchangeTrace } from '../exchange/trace.ts';
import { type HeaderDraft, removeHeader, setHeader } from '../http/headers.ts';
import { formatTraceparent, RANDOM, SAMPLED, traceparentIn, tracestateIn } from '../http/trace-context.ts';
import type { AttemptSpan } from './attempt-span.ts';
import type { Progress } from './progress.ts';
import { newSpanId, newTraceId } from './trace-ids.ts';

/** How Headgate takes part in traces, compiled. */
export interface TracePlan {
  /** Share of the traces that begin here, and of those of strangers, which is recorded: [0, 1]. */
  readonly sample: number;
  /** Every client says itself what is recorded, as trusted proxies do. */
  readonly trustClients: boolean;
  /** Spans are made of exchanges and attempts. */
  readonly exports: boolean;
  /** So that those of failed exchanges can be kept: spans also of what is not sampled. */
  readonly errors: boolean;
}

/** The trace that an exchange takes part in. */
export interface OwnTrace extends ExchangeTrace {
  readonly spanId: string;
  readonly attempts: AttemptSpan[] | null;
  /** Entries of `Progress.retries` that belong to an attempt already. */
  retriesSeen: number;
}

/**
 * Gives `progress` its place in a trace: the one that the request belongs to, or a new one. What a trusted peer says of sampling holds;
 * for all others it is drawn here, and not by the trace id, which they could choose.
 */
export function beginTrace(progress: Progress, plan: TracePlan, sample = plan.sample): void {
  const { request, client } = progress.exchange;
  const parent = progress.traceLink === null ? traceparentIn(request.headers) : null;
  const spanId = newSpanId();
  const traceId = parent === null ? newTraceId() : parent.traceId;
  const believed = parent !== null && (client.trusted || plan.trustClients);
  const sampled = believed
    ? (parent.flags & SAMPLED) !== 0
    : isSampled(parent === null ? traceId : newTraceId(), sample);
  const trace: OwnTrace = {
    traceId,
    spanId,
    parentId: parent === null ? null : parent.parentId,
    sampled,
    random: parent === null || (parent.flags & RANDOM) !== 0,
    state: parent === null ? null : tracestateIn(request.headers),
    link: progress.traceLink,
    attempts: plan.exports && (sampled || plan.errors) ? [] : null,
    retriesSeen: 0,
  };
  progress.trace = trace;
}

/**
 * By the 56 random bits at the end of a trace id, so that everybody who samples in this way keeps the same traces: those that keep a
 * smaller share keep a part of them (OpenTelemetry, "TraceState: Probability Sampling").
 */
export function isSampled(traceId: string, share: number): boolean {
  if (share <= 0) return false;
  return Number.parseInt(traceId.slice(-14), 16) >= (1 - share) * 2 ** 56;
}

/** For the endpoint: the trace goes on, and this exchange is what called it. `tracestate` stays as it came, unless it is invalid. */
export function writeTrace(draft: HeaderDraft, trace: OwnTrace): void {
  setHeader(draft, 'traceparent', traceparentFrom(trace, trace.spanId));
  if (trace.state === null) removeHeader(draft, 'tracestate');
}

/** `traceparent` of a request that `spanId` is the cause of. */
export function traceparentFrom(trace: OwnTrace, spanId: string): string {
  return formatTraceparent(trace.traceId, spanId, (trace.sampled ? SAMPLED : 0) | (trace.random ? RANDOM : 0));
}

/** Of a request that Headgate only passes on: what it says itself. */
export function passedTrace(progress: Progress): ExchangeTrace | null {
  const parent = traceparentIn(progress.exchange.request.headers);
  if (parent === null) return null;
  const { traceId, parentId, flags } = parent;
  return {
    traceId,
    spanId: null,
    parentId,
    sampled: (flags & SAMPLED) !== 0,
    random: (flags & RANDOM) !== 0,
    state: null,
    link: null,
    attempts: null,
  };
}
