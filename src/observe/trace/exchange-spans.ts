import type { ExchangeRecord, RefreshRecord } from '../../exchange/outcome.ts';
import type { AttemptTrace, ExchangeTrace } from '../../exchange/trace.ts';
import { hostOf } from '../../http/target.ts';
import type { Span } from './span.ts';

/** An exchange whose spans somebody wants. */
export interface TracedRecord extends ExchangeRecord {
  readonly trace: ExchangeTrace & { readonly spanId: string; readonly attempts: readonly AttemptTrace[] };
}

export function isTraced(record: ExchangeRecord): record is TracedRecord {
  return record.trace !== null && record.trace.attempts !== null;
}

/** What RFC 9110 and RFC 5789 define; others might be anything (semantic conventions, `http.request.method`). */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/**
 * Did it fail, as the conventions for a server span see it? 5xx, and what was cut off by whomever; not what a client did wrong and was
 * told so.
 */
export function isFailed({ status, end }: ExchangeRecord): boolean {
  if (status >= 500 || end.bug !== null) return true;
  return end.error !== null && (status < 400 || status === 499);
}

/**
 * The span of the exchange (OpenTelemetry semantic conventions, "HTTP server span"), `template` being the path of its route as the
 * configuration has it. Neither the query nor any field but the host is in it.
 */
export function serverSpan(record: TracedRecord, template: string | null): Span {
  const { request, end, trace, cache } = record;
  const host = hostOf(request.authority).replace(/^\[|\]$/g, '');
  const failed = isFailed(record);
  return {
    ...shared(record),
    spanId: trace.spanId,
    parentId: trace.parentId,
    parentIsRemote: true,
    name: nameOf(request.method, template),
    kind: 'server',
    endMs: record.startedAtEpoch + record.totalMs,
    attributes: [
      ...methodOf(request.method),
      ['url.scheme', request.scheme],
      ['url.path', pathOf(request.target)],
      ['server.address', host === '' ? null : host],
      ['server.port', host === '' ? null : portOf(request)],
      ['client.address', record.clientAddress],
      ['network.protocol.version', request.version],
      ['http.route', template],
      // 499 was never sent.
      ['http.response.status_code', record.status === 0 || record.status === 499 ? null : record.status],
      ['error.type', failed ? errorOf(record) : null],
      ['headgate.request.id', record.id],
      ['headgate.listener', record.listener],
      ['headgate.route', record.route],
      ['headgate.pool', record.pool],
      ['headgate.cache.result', cache === null ? null : cache.result],
      ['headgate.attempts', record.attempts],
      ['headgate.end.side', end.side],
      ['headgate.end.reason', end.reason],
    ],
    failed,
    link: null,
  };
}

/** The span of a refresh: nobody asked for it, so it is no server's. */
export function refreshSpan(record: TracedRecord & RefreshRecord, template: string | null): Span {
  const failed = isFailed(record);
  return {
    ...shared(record),
    spanId: record.trace.spanId,
    parentId: null,
    parentIsRemote: false,
    name: template === null ? 'refresh' : `refresh ${template}`,
    kind: 'internal',
    endMs: record.startedAtEpoch + record.totalMs,
    attributes: [
      ['error.type', failed ? errorOf(record) : null],
      ['headgate.request.id', record.id],
      ['headgate.route', record.route],
      ['headgate.pool', record.pool],
      ['headgate.refresh.result', record.refresh.result],
    ],
    failed,
    link: record.trace.link,
  };
}

/** The span of one attempt that is over ("HTTP client span"). `url.full` is without the query. */
export function attemptSpan(record: TracedRecord, attempt: AttemptTrace): Span {
  const { destination, status, error } = attempt;
  const address = destination.socketPath ?? destination.host;
  const failed = error !== null || status >= 400;
  return {
    ...shared(record),
    spanId: attempt.spanId,
    parentId: record.trace.spanId,
    parentIsRemote: false,
    name: nameOf(record.request.method, null),
    kind: 'client',
    startMs: record.startedAtEpoch + attempt.startedMs,
    endMs: record.startedAtEpoch + attempt.endedMs,
    attributes: [
      ...methodOf(record.request.method),
      ['url.full', urlOf(attempt)],
      ['server.address', address],
      ['server.port', destination.socketPath === null ? destination.port : null],
      ['network.protocol.version', destination.version],
      ['network.transport', destination.socketPath === null ? 'tcp' : 'unix'],
      ['http.response.status_code', status === 0 ? null : status],
      ['http.request.resend_count', attempt.resends === 0 ? null : attempt.resends],
      ['error.type', failed ? (error ?? String(status)) : null],
      ['headgate.retry.reason', attempt.why],
      ['headgate.connection.reused', attempt.reusedConnection],
      // From its beginning: a connection and its turn on it, and the endpoint's thinking on top.
      ['headgate.sent_ms', since(attempt, attempt.sentMs)],
      ['headgate.head_ms', since(attempt, attempt.answeredMs)],
    ],
    failed,
    link: null,
  };
}

type Shared = Pick<Span, 'traceId' | 'state' | 'sampled' | 'random' | 'startMs'>;

function shared({ trace, startedAtEpoch }: TracedRecord): Shared {
  const { traceId, state, sampled, random } = trace;
  return { traceId, state, sampled, random, startMs: startedAtEpoch };
}

/** A gateway's own refusal has a reason; what an endpoint answered has its status. */
function errorOf({ end, status }: ExchangeRecord): string {
  if (end.error !== null || end.bug !== null) return end.reason === 'complete' ? 'bug' : end.reason;
  return String(status);
}

function nameOf(method: string, template: string | null): string {
  const verb = METHODS.has(method) ? method : 'HTTP';
  return template === null ? verb : `${verb} ${template}`;
}

function methodOf(method: string): Span['attributes'] {
  if (METHODS.has(method)) return [['http.request.method', method]];
  return [
    ['http.request.method', '_OTHER'],
    ['http.request.method_original', method],
  ];
}

/** That of the scheme, unless the client named another. */
function portOf({ authority, scheme }: ExchangeRecord['request']): number {
  const named = /:(\d{1,5})$/.exec(authority)?.[1];
  return named === undefined ? (scheme === 'https' ? 443 : 80) : Number(named);
}

function urlOf({ destination, path }: AttemptTrace): string {
  const { host, port, secure } = destination;
  const name = host.includes(':') ? `[${host}]` : host;
  const suffix = port === (secure ? 443 : 80) ? '' : `:${port}`;
  return `${secure ? 'https' : 'http'}://${name}${suffix}${path}`;
}

function since({ startedMs }: AttemptTrace, ms: number): number | null {
  return ms < 0 ? null : Math.round((ms - startedMs) * 1000) / 1000;
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}
