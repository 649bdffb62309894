import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { HeaderList } from '../../http/headers.ts';
import { compileRegex } from '../../routing/regex.ts';
import { parseExpectation } from '../../upstream/health/expectation.ts';
import type { BodyTest, ProbeOptions } from '../../upstream/health/probe-definition.ts';
import type { Complaints } from '../complaints.ts';

type HealthConfig = NonNullable<PoolConfig['health']>;

/** Without `failingInterval`: an endpoint that fails or comes back is looked at this often, unless all are looked at more often. */
const FAILING_INTERVAL_MS = 1_000;

/** Fields that are the check's own: its connection, its framing, and Host, which has a key. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** How the endpoints of a pool are checked; `null` for not at all. Complains of what no check could do or meet: then it is not to be used. */
export function compileHealth(name: string, config: PoolConfig, complaints: Complaints): ProbeOptions | null {
  const { health } = config;
  if (health === undefined) return null;
  const complain = (key: readonly string[], message: string): void =>
    complaints.add(['pools', name, 'health', ...key], { message });
  complainOfExpectation(health, complain);
  return {
    type: health.type,
    method: health.method,
    path: health.path,
    headers: headersOf(health, complain),
    expect: health.expect,
    body: bodyTestOf(health, complain),
    service: health.service,
    host: health.host ?? null,
    intervalMs: health.interval,
    failingIntervalMs: health.failingInterval ?? Math.min(FAILING_INTERVAL_MS, health.interval),
    jitter: health.jitter,
    timeoutMs: health.timeout,
    rise: health.rise,
    fall: health.fall,
    start: health.start,
  };
}

function complainOfExpectation({ expect, method, body }: HealthConfig, complain: Complain): void {
  try {
    parseExpectation(expect);
  } catch (error) {
    // Nothing else is thrown for statuses that the schema has accepted.
    complain(['expect'], (error as RangeError).message);
  }
  if (method === 'HEAD' && body !== undefined) complain(['body'], 'the answer to HEAD has no body: check with GET');
}

type Complain = (key: readonly string[], message: string) => void;

function headersOf({ headers, type }: HealthConfig, complain: Complain): HeaderList {
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (type === 'grpc' && lower === 'content-type')
      complain(['headers', name], 'a call of gRPC says itself what it is');
    if (lower === 'host') complain(['headers', name], 'Host has a key of its own beside “headers”: “host”');
    else if (OWN_FIELDS.has(lower))
      complain(['headers', name], `${name} belongs to the connection or frames the message`);
  }
  return Object.entries(headers).flat();
}

function bodyTestOf({ body }: HealthConfig, complain: Complain): BodyTest | null {
  if (body === undefined) return null;
  if ('contains' in body) {
    const { contains } = body;
    return { source: `contains ${contains}`, holds: (text) => text.includes(contains) };
  }
  const result = compileRegex(body.regex);
  if (result.ok) return { source: `regex ${body.regex}`, holds: (text) => result.regex.test(text) };
  complain(['body', 'regex'], `"${body.regex}" is not a regular expression (RE2): ${result.message}`);
  return null;
}
