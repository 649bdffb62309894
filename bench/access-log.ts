/** What one access-log line costs: put together by hand, as `observe/access-log.ts` does, beside pino's own serialiser. */
import { pino } from 'pino';
import type { ExchangeRecord } from '../src/exchange/outcome.ts';
import { CombinedAccessLog, JsonAccessLog } from '../src/observe/access-log.ts';
import type { LogSink } from '../src/observe/log.ts';

const record: ExchangeRecord = {
  id: '01a1fc26-6f03-75c0-bc65-1c42c4226680',
  request: {
    method: 'GET',
    target: '/api/users/7?expand=all',
    authority: 'shop.example',
    scheme: 'https',
    version: '1.1',
    headers: ['Host', 'shop.example', 'User-Agent', 'curl/8.0', 'Accept', '*/*'],
  },
  listener: 'https',
  clientAddress: '192.0.2.7',
  tls: {
    serverName: 'shop.example',
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    clientCertificate: null,
    refusal: null,
  },
  startedAtEpoch: 1_795_231_738_000,
  status: 200,
  grpcStatus: null,
  bytesIn: 0,
  bytesOut: 1024,
  totalMs: 1.234_567,
  queueMs: 0.123_456,
  firstByteMs: 1.012_345,
  connectMs: 0,
  upstreamMs: 1.111_111,
  overheadMs: 0.087_654,
  route: 'users',
  pool: 'users',
  endpoint: 'http://10.0.0.11:3000',
  attempts: 1,
  retries: [],
  noRetry: null,
  user: null,
  policy: null,
  notes: [],
  fallback: null,
  reusedConnection: true,
  cache: { result: 'miss', why: 'uri-miss', notStored: null, header: 'headgate; fwd=uri-miss; fwd-status=200; stored' },
  trace: null,
  end: { side: 'gateway', reason: 'complete', error: null, bug: null },
};

let bytes = 0;
const sink: LogSink = {
  write: (line) => {
    bytes += line.length;
  },
  flushSync: () => {},
  flushed: async () => {},
  reopen: () => {},
};
const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink);
const json = new JsonAccessLog(sink, log);
const combined = new CombinedAccessLog(sink, log);

const LINES = 500_000;
const { request, tls, end, ...flat } = record;
const contenders: Readonly<Record<string, () => void>> = {
  json: () => json.finished(record),
  combined: () => combined.finished(record),
  'pino info': () =>
    log.info({
      ...flat,
      method: request.method,
      host: request.authority,
      path: request.target,
      tls: tls?.protocol,
      sni: tls?.serverName,
      side: end.side,
      end: end.reason,
      error: end.error,
    }),
};
for (const [name, write] of Object.entries(contenders)) {
  for (let i = 0; i < LINES / 10; i += 1) write();
  const began = process.cpuUsage();
  for (let i = 0; i < LINES; i += 1) write();
  const { user, system } = process.cpuUsage(began);
  process.stdout.write(`${name.padEnd(10)} ${((user + system) / LINES).toFixed(2)} µs a line\n`);
}
process.stdout.write(`${bytes} bytes\n`);
