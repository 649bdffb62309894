import { describe, expect, test } from 'vitest';
import type { ExchangeEnd, ExchangeRecord, Side } from '../../../src/exchange/outcome.ts';
import type { StreamRecord } from '../../../src/exchange/stream.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import { BugLog, CombinedAccessLog, JsonAccessLog } from '../../../src/observe/access-log.ts';
import { ChosenLines, type LineChoice } from '../../../src/observe/chosen-lines.ts';
import { EcsAccessLog } from '../../../src/observe/ecs-access-log.ts';
import { createLog, type LogSink } from '../../../src/observe/log.ts';
import { workerLines } from '../../../src/observe/worker-lines.ts';
import { certificateFacts } from '../../kit/client-certificate.ts';

const record: ExchangeRecord = {
  id: '01a1fc26-6f03-75c0-bc65-1c42c4226680',
  request: {
    method: 'GET',
    target: '/cart?token=secret',
    authority: 'shop.test',
    scheme: 'https',
    version: '1.1',
    headers: ['Host', 'shop.test', 'Authorization', 'Bearer secret', 'Cookie', 'sid=secret', 'User-Agent', 'curl/8.0'],
  },
  listener: 'https',
  clientAddress: '192.0.2.7',
  tls: {
    serverName: 'shop.test',
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    clientCertificate: null,
    refusal: null,
  },
  startedAtEpoch: Date.UTC(2026, 10, 21, 3, 4, 5, 6),
  status: 200,
  grpcStatus: null,
  bytesIn: 12,
  bytesOut: 1024,
  totalMs: 1.23456,
  queueMs: 0.5,
  firstByteMs: null,
  connectMs: 0.25,
  upstreamMs: 0.7,
  overheadMs: 0.11111,
  route: 'cart',
  pool: 'shop',
  endpoint: 'http://10.0.0.1:3000',
  attempts: 2,
  retries: [],
  noRetry: null,
  user: null,
  policy: null,
  notes: [],
  fallback: null,
  reusedConnection: true,
  cache: { result: 'miss', why: 'uri-miss', notStored: null, header: 'headgate; fwd=uri-miss; detail="a\\b"' },
  trace: null,
  end: { side: 'upstream', reason: 'complete', error: null, bug: null },
};

function capture(): { sink: LogSink; lines: string[] } {
  const lines: string[] = [];
  const rest = { flushSync: () => {}, flushed: () => Promise.resolve(), reopen: () => {} };
  return { lines, sink: { ...rest, write: (line) => void lines.push(line) } };
}

test.each([
  ['json', { worker: 3 }],
  ['ecs', { labels: { worker: '3' } }],
] as const)('in the format %s, a line of one of several processes says whose it is', (format, mark) => {
  const { sink, lines } = capture();
  const marked = workerLines(sink, format, 3);
  const Log = { json: JsonAccessLog, ecs: EcsAccessLog }[format];
  new Log(sink, createLog(sink, 'info')).finished(record);
  new Log(marked, createLog(sink, 'info')).finished(record);
  expect(lines[1]).toMatch(/\}\n$/);
  expect(JSON.parse(lines[1] ?? '')).toEqual({ ...JSON.parse(lines[0] ?? ''), ...mark });
});

function jsonLine(changes: Partial<ExchangeRecord> = {}): Record<string, unknown> {
  const { sink, lines } = capture();
  new JsonAccessLog(sink, createLog(sink, 'info')).finished({ ...record, ...changes });
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] as string) as Record<string, unknown>;
}

describe('refreshes of stored responses', () => {
  const refresh = { ...record, refresh: { servedTo: 'another', result: 'confirmed' } } as const;

  test('have a line of their own in the JSON access log, without a client', () => {
    const { sink, lines } = capture();
    new JsonAccessLog(sink, createLog(sink, 'info')).refreshed(refresh);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        ...{ time: '2026-11-21T03:04:05.006Z', id: record.id, kind: 'refresh', servedTo: 'another' },
        ...{ host: 'shop.test', path: '/cart', result: 'confirmed', status: 200, bytes: 1024, totalMs: 1.235 },
        ...{ queueMs: 0.5, firstByteMs: null, route: 'cart', pool: 'shop', endpoint: 'http://10.0.0.1:3000' },
        ...{ attempts: 2, reused: true, cache: 'fwd=uri-miss; detail="a\\b"', cacheResult: 'miss' },
        ...{ side: 'upstream', end: 'complete', error: null },
      },
    ]);
  });

  test('have none in the Combined Log Format', () => {
    const { sink, lines } = capture();
    new CombinedAccessLog(sink, createLog(sink, 'info')).refreshed(refresh);
    expect(lines).toEqual([]);
  });
});

describe('the JSON access log', () => {
  test('writes one line of JSON with everything that happened', () => {
    expect(jsonLine()).toEqual({
      time: '2026-11-21T03:04:05.006Z',
      id: record.id,
      listener: 'https',
      client: '192.0.2.7',
      method: 'GET',
      host: 'shop.test',
      path: '/cart',
      protocol: 'HTTP/1.1',
      status: 200,
      bytesIn: 12,
      bytesOut: 1024,
      totalMs: 1.235,
      queueMs: 0.5,
      firstByteMs: null,
      connectMs: 0.25,
      upstreamMs: 0.7,
      overheadMs: 0.111,
      route: 'cart',
      pool: 'shop',
      endpoint: 'http://10.0.0.1:3000',
      attempts: 2,
      reused: true,
      cache: 'fwd=uri-miss; detail="a\\b"',
      cacheResult: 'miss',
      tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
      sni: 'shop.test',
      side: 'upstream',
      end: 'complete',
      error: null,
    });
  });

  test('names a client by its certificate, where it has shown one', () => {
    const { tls } = record;
    const clientCertificate = certificateFacts({ subject: 'CN="a",O=Zoë', fingerprint: 'cd'.repeat(32) });
    expect(jsonLine({ tls: tls === null ? null : { ...tls, clientCertificate } })).toMatchObject({
      certificate: { subject: 'CN="a",O=Zoë', fingerprint: 'cd'.repeat(32) },
    });
    expect(jsonLine({})).not.toHaveProperty('certificate');
  });

  test('tells the trace of a request that is part of one, and the span where Headgate has one', () => {
    const trace = { traceId: 'ab'.repeat(16), spanId: null, parentId: 'cd'.repeat(8), sampled: true };
    const rest = { random: true, state: null, link: null, attempts: null };
    expect(jsonLine({ trace: { ...trace, ...rest } })).toMatchObject({ id: record.id, trace: 'ab'.repeat(16) });
    expect(jsonLine({ trace: { ...trace, ...rest, spanId: 'ef'.repeat(8) } })).toMatchObject({ span: 'ef'.repeat(8) });
    expect(jsonLine({})).not.toHaveProperty('trace');
  });

  test('never writes queries, credentials or cookies', () => {
    const { sink, lines } = capture();
    new JsonAccessLog(sink, createLog(sink, 'info')).finished(record);
    expect(lines.join('')).not.toContain('secret');
  });

  test('escapes whatever a client sends, so that a line stays a line', () => {
    const request = { ...record.request, authority: 'a"\n{\u0007}', target: '/\u00ff\\' };
    expect(jsonLine({ request })).toMatchObject({ host: 'a"\n{\u0007}', path: '/\u00ff\\' });
  });

  test('reports a bug with its stack in the log of the process', () => {
    const access = capture();
    const log = capture();
    const bug = new TypeError('boom');
    const end = { ...record.end, bug };
    new JsonAccessLog(access.sink, createLog(log.sink, 'info')).finished({ ...record, end });
    expect(access.lines).toHaveLength(1);
    expect(log.lines.join('')).toContain('TypeError: boom');
  });
});

describe('the ECS access log', () => {
  test('has the names of the Elastic Common Schema, and its own below headgate', () => {
    const { sink, lines } = capture();
    const trace = { traceId: 'ab'.repeat(16), spanId: 'ef'.repeat(8), parentId: null, sampled: true };
    const full = { ...trace, random: true, state: null, link: null, attempts: null };
    new EcsAccessLog(sink, createLog(sink, 'info')).finished({ ...record, trace: full });
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      '@timestamp': '2026-11-21T03:04:05.006Z',
      ecs: { version: '8.11.0' },
      log: { level: 'info' },
      event: {
        ...{ kind: 'event', category: ['web'], type: ['access'], dataset: 'headgate.access', outcome: 'success' },
        duration: 1_234_560,
      },
      service: { name: 'headgate', type: 'headgate' },
      trace: { id: trace.traceId },
      span: { id: trace.spanId },
      client: { address: '192.0.2.7', ip: '192.0.2.7' },
      http: {
        version: '1.1',
        request: { id: record.id, method: 'GET', body: { bytes: 12 } },
        response: { status_code: 200, body: { bytes: 1024 } },
      },
      url: { scheme: 'https', domain: 'shop.test', path: '/cart' },
      tls: {
        ...{ version: '1.3', version_protocol: 'tls', cipher: 'TLS_AES_256_GCM_SHA384' },
        client: { server_name: 'shop.test' },
      },
      headgate: {
        ...{ listener: 'https', route: 'cart', pool: 'shop', endpoint: 'http://10.0.0.1:3000', attempts: 2 },
        ...{ reused: true, upstreamMs: record.upstreamMs, overheadMs: 0.111, cacheResult: 'miss' },
        ...{ side: 'upstream', end: 'complete', error: null },
      },
    });
  });

  test('stays a line, whatever a client sends, and has no address for a Unix socket', () => {
    const { sink, lines } = capture();
    const request = { ...record.request, authority: 'a"\n{', target: '/\u00ff\\?secret' };
    new EcsAccessLog(sink, createLog(sink, 'info')).finished({ ...record, request, clientAddress: 'unix:' });
    expect(JSON.parse(lines.join(''))).toMatchObject({
      client: { address: 'unix:' },
      url: { domain: 'a"\n{', path: '/\u00ff\\' },
    });
    expect(lines.join('')).not.toMatch(/secret|"ip"/);
  });

  test('refreshes and streams are lines of their own data set', () => {
    const { sink, lines } = capture();
    const log = new EcsAccessLog(sink, createLog(sink, 'info'));
    log.refreshed({ ...record, refresh: { servedTo: 'another', result: 'confirmed' } });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      event: { dataset: 'headgate.refresh', outcome: 'success' },
      headgate: { servedTo: 'another', result: 'confirmed' },
    });
  });
});

describe('the choice of lines', () => {
  const chosen = (choice: Partial<LineChoice>) => {
    const { sink, lines } = capture();
    const bugs = capture();
    const log = createLog(bugs.sink, 'info');
    const all: LineChoice = { only: null, sample: 1, random: () => 0.5 };
    const written = new JsonAccessLog(sink, log);
    return { log: new ChosenLines({ ...all, ...choice }, written, new BugLog(log)), lines, bugs: bugs.lines };
  };
  const only = (text: string) => {
    const filter = compileFilter(text);
    return filter.ok ? filter.matches : null;
  };

  test('a filter leaves out whole lines, and never a bug', () => {
    const { log, lines, bugs } = chosen({ only: only('status>=500') });
    log.finished(record);
    log.finished({ ...record, status: 502 });
    log.finished({ ...record, end: { ...record.end, bug: new Error('boom') } });
    expect(lines.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual([502]);
    expect(bugs.join('')).toContain('boom');
  });

  test('a sample is one of what ended well: what did not always has its line', () => {
    for (const [sample, expected] of [
      [0.5, [404, 502]],
      [0.51, [200, 404, 502]],
    ] as const) {
      const { log, lines } = chosen({ sample });
      for (const status of [200, 404, 502]) log.finished({ ...record, status });
      expect(lines.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual(expected);
    }
  });
});

describe('the Combined Log Format', () => {
  test('has the fields where every tool looks for them', () => {
    const { sink, lines } = capture();
    new CombinedAccessLog(sink, createLog(sink, 'info')).finished(record);
    expect(lines).toEqual([
      '192.0.2.7 - - [21/Nov/2026:03:04:05 +0000] "GET /cart HTTP/1.1" 200 1024 "-" "curl/8.0"\n',
    ]);
  });

  test('escapes quotes and control characters as nginx does', () => {
    const { sink, lines } = capture();
    const headers = ['User-Agent', 'a"b\u0007\u00e9'];
    new CombinedAccessLog(sink, createLog(sink, 'info')).finished({
      ...record,
      request: { ...record.request, headers },
    });
    expect(lines[0]).toContain('"a\\x22b\\x07\\xe9"\n');
  });
});

describe('a stream', () => {
  const stream: StreamRecord = {
    id: '01a1fc26-6f03-75c0-bc65-1c42c4226680',
    listener: 'edge',
    clientAddress: '192.0.2.7',
    serverName: 'shop.example',
    startedAtEpoch: Date.UTC(2026, 10, 21, 3, 4, 5, 6),
    bytesIn: 517,
    bytesOut: 4096,
    totalMs: 60_000.5,
    connectMs: 0.25,
    pool: 'shop',
    endpoint: 'http://10.0.0.1:443',
    attempts: 1,
    end: { side: 'client', reason: 'complete', error: null, bug: null },
  };

  test('is one JSON line of its own kind', () => {
    const { sink, lines } = capture();
    new JsonAccessLog(sink, createLog(sink, 'silent')).streamFinished(stream);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      time: '2026-11-21T03:04:05.006Z',
      id: stream.id,
      kind: 'stream',
      listener: 'edge',
      client: '192.0.2.7',
      sni: 'shop.example',
      bytesIn: 517,
      bytesOut: 4096,
      totalMs: 60_000.5,
      connectMs: 0.25,
      pool: 'shop',
      endpoint: 'http://10.0.0.1:443',
      attempts: 1,
      side: 'client',
      end: 'complete',
      error: null,
    });
  });

  test.each([
    ['its end', stream, '"STREAM shop.example TCP" 200 4096'],
    ['no name', { ...stream, serverName: null }, '"STREAM - TCP" 200 4096'],
    ['a name that is out for the log', { ...stream, serverName: 'a"b' }, '"STREAM a\\x22b TCP" 200 4096'],
    ['a client that left', { ...stream, end: cut('client') }, '"STREAM shop.example TCP" 499 4096'],
    ['an endpoint that reset', { ...stream, end: cut('upstream') }, '"STREAM shop.example TCP" 502 4096'],
    ['a drain', { ...stream, end: cut('gateway') }, '"STREAM shop.example TCP" 503 4096'],
  ])('has a line in the combined format too: %s', (_, record, expected) => {
    const { sink, lines } = capture();
    new CombinedAccessLog(sink, createLog(sink, 'silent')).streamFinished(record);
    expect(lines).toEqual([`192.0.2.7 - - [21/Nov/2026:03:04:05 +0000] ${expected} "-" "-"\n`]);
  });

  function cut(side: Side): ExchangeEnd {
    return { side, reason: 'whatever', error: 'connection_terminated', bug: null };
  }
});
