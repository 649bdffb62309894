/** One span, ready to be written (opentelemetry/proto/trace/v1/trace.proto). */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  /** The parent is another service's span. */
  readonly parentIsRemote: boolean;
  readonly state: string | null;
  readonly sampled: boolean;
  readonly random: boolean;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  /** Those whose value is `null` are left out. */
  readonly attributes: readonly (readonly [key: string, value: AttributeValue | null])[];
  readonly failed: boolean;
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
}

export type AttributeValue = string | number | boolean;

export type SpanKind = 'internal' | 'server' | 'client';

const KINDS = { internal: 1, server: 2, client: 3 } as const;
const STATUS_ERROR = 2;
/** `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`, `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK`. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
/** Longer values are cut off: a path may have 16 KiB. */
const MOST_CHARACTERS = 1024;

/** As OTLP/JSON has it: ids in hexadecimal, enumerations as numbers, 64-bit integers as text. At most some 8 KiB. */
export function encodeSpan(span: Span): string {
  const { traceId, spanId, parentId, state, link } = span;
  const flags =
    Number(span.sampled) | (Number(span.random) << 1) | HAS_IS_REMOTE | (span.parentIsRemote ? IS_REMOTE : 0);
  return (
    `{"traceId":"${traceId}","spanId":"${spanId}"${parentId === null ? '' : `,"parentSpanId":"${parentId}"`}` +
    `${state === null ? '' : `,"traceState":${JSON.stringify(shortState(state))}`},"flags":${flags}` +
    `,"name":${JSON.stringify(span.name)},"kind":${KINDS[span.kind]}` +
    `,"startTimeUnixNano":"${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(span.endMs)}"` +
    `,"attributes":[${encodeAttributes(span.attributes)}]` +
    `${link === null ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`}` +
    `,"status":{${span.failed ? `"code":${STATUS_ERROR}` : ''}}}`
  );
}

/** Whole members of it: those at the left are the latest (Trace Context §3.3.1). A half would make all of it invalid. */
function shortState(state: string): string {
  if (state.length <= MOST_CHARACTERS) return state;
  return state.slice(0, state.lastIndexOf(',', MOST_CHARACTERS));
}

/** The list without its brackets. */
export function encodeAttributes(attributes: Span['attributes']): string {
  let text = '';
  for (const [key, value] of attributes) {
    if (value === null) continue;
    text += `${text === '' ? '' : ','}{"key":${JSON.stringify(key)},"value":${encodeValue(value)}}`;
  }
  return text;
}

function encodeValue(value: AttributeValue): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value.slice(0, MOST_CHARACTERS))}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  return Number.isInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
}

/** A number has no room for them all: whole milliseconds and the rest are written one after the other. */
function nanoseconds(ms: number): string {
  const whole = Math.floor(ms);
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`;
}
