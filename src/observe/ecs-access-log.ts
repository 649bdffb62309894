import type { ExchangeObserver } from '../exchange/observer.ts';
import type { ExchangeRecord, RefreshRecord } from '../exchange/outcome.ts';
import type { StreamObserver, StreamRecord } from '../exchange/stream.ts';
import { tellBug } from './access-log.ts';
import type { Logger, LogSink } from './log.ts';
import { isoTime, pathOf, quote, round } from './log-text.ts';

/**
 * One JSON line an exchange with the field names of the Elastic Common Schema 8 (https://www.elastic.co/docs/reference/ecs); what that
 * has no name for is below `headgate`, by the names of the JSON access log. Nor does it write queries, credentials or cookies.
 */
export class EcsAccessLog implements ExchangeObserver, StreamObserver {
  readonly #sink: LogSink;
  readonly #log: Logger;

  constructor(sink: LogSink, log: Logger) {
    this.#sink = sink;
    this.#log = log;
  }

  finished(record: ExchangeRecord): void {
    this.#sink.write(exchangeLine(record));
    tellBug(this.#log, record, 'Exchange ended by a bug');
  }

  refreshed(record: RefreshRecord): void {
    const { servedTo, result } = record.refresh;
    this.#sink.write(
      `${beginning(record, 'headgate.refresh', ['info'], record.end.error === null)}${traceOf(record)}` +
        `,"url":{"domain":${quote(record.request.authority)},"path":${quote(pathOf(record.request.target))}}` +
        `,"http":{"response":{"status_code":${record.status},"body":{"bytes":${record.bytesOut}}}}` +
        `,"headgate":{"servedTo":"${servedTo}","result":"${result}",${served(record)}}}\n`,
    );
    tellBug(this.#log, record, 'Refresh ended by a bug');
  }

  streamFinished(record: StreamRecord): void {
    const { end, serverName } = record;
    this.#sink.write(
      `${beginning(record, 'headgate.stream', ['connection', 'end'], end.error === null)}` +
        `,"client":${client(record.clientAddress)},"network":{"transport":"tcp"}` +
        `,"tls":{"client":{"server_name":${quote(serverName)}}}` +
        `,"headgate":{"id":"${record.id}","listener":"${record.listener}","bytesIn":${record.bytesIn},"bytesOut":${record.bytesOut}` +
        `,"pool":"${record.pool}","endpoint":${quote(record.endpoint)},"attempts":${record.attempts}` +
        `,"side":"${end.side}","end":${quote(end.reason)},"error":${quote(end.error)}}}\n`,
    );
    if (end.bug !== null) this.#log.error({ id: record.id, err: end.bug }, 'Stream ended by a bug');
  }
}

function exchangeLine(record: ExchangeRecord): string {
  const { request, end, tls } = record;
  const failed = end.error !== null || end.bug !== null || record.status >= 400;
  return (
    `${beginning(record, 'headgate.access', ['access'], !failed)}${traceOf(record)}` +
    `,"client":${client(record.clientAddress)}` +
    `,"http":{"version":"${request.version}","request":{"id":"${record.id}","method":${quote(request.method)}` +
    `,"body":{"bytes":${record.bytesIn}}},"response":{"status_code":${record.status},"body":{"bytes":${record.bytesOut}}}}` +
    `,"url":{"scheme":"${request.scheme}","domain":${quote(request.authority)},"path":${quote(pathOf(request.target))}}` +
    `${tls === null ? '' : tlsOf(tls)}` +
    `${record.user === null ? '' : `,"user":{"name":${quote(record.user)}}`}` +
    `,"headgate":{"listener":"${record.listener}",${served(record)}}}\n`
  );
}

function served(record: ExchangeRecord): string {
  const { end, cache } = record;
  return (
    `"route":${quote(record.route)},"pool":${quote(record.pool)},"endpoint":${quote(record.endpoint)}` +
    `,"attempts":${record.attempts},"reused":${record.reusedConnection},"upstreamMs":${round(record.upstreamMs)}` +
    `${record.policy === null ? '' : `,"policy":"${record.policy}"`}` +
    `${record.notes.length === 0 ? '' : `,"notes":[${record.notes.map(quote).join(',')}]`}` +
    `,"overheadMs":${round(record.overheadMs)},"cacheResult":${quote(cache === null ? null : cache.result)}` +
    `,"side":"${end.side}","end":${quote(end.reason)},"error":${quote(end.error)}`
  );
}

/** `event.duration` is in nanoseconds. */
function beginning(
  { startedAtEpoch, totalMs }: { readonly startedAtEpoch: number; readonly totalMs: number },
  dataset: string,
  types: readonly string[],
  isSuccess: boolean,
): string {
  const category = dataset === 'headgate.stream' ? 'network' : 'web';
  return (
    `{"@timestamp":"${isoTime(startedAtEpoch)}","ecs":{"version":"8.11.0"},"log":{"level":"info"}` +
    `,"event":{"kind":"event","category":["${category}"],"type":["${types.join('","')}"],"dataset":"${dataset}"` +
    `,"outcome":"${isSuccess ? 'success' : 'failure'}","duration":${Math.round(totalMs * 1e6)}}` +
    `,"service":{"name":"headgate","type":"headgate"}`
  );
}

function traceOf({ trace }: ExchangeRecord): string {
  if (trace === null) return '';
  const span = trace.spanId === null ? '' : `,"span":{"id":"${trace.spanId}"}`;
  return `,"trace":{"id":"${trace.traceId}"}${span}`;
}

/** `ip` takes nothing but addresses, and whoever comes over a Unix socket has none. */
function client(address: string): string {
  return address.startsWith('unix:') ? `{"address":"${address}"}` : `{"address":"${address}","ip":"${address}"}`;
}

function tlsOf({ protocol, cipher, serverName, clientCertificate }: NonNullable<ExchangeRecord['tls']>): string {
  const subject = clientCertificate === null ? '' : `,"subject":${quote(clientCertificate.subject)}`;
  const version = protocol.replace(/^TLSv/, '');
  return `,"tls":{"version":"${version}","version_protocol":"tls","cipher":"${cipher}","client":{"server_name":${quote(serverName)}${subject}}}`;
}
