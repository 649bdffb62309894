import type { Destination } from '../../exchange/attempt.ts';
import { getHeader, type HeaderList } from '../../http/headers.ts';
import type { Place } from '../endpoint.ts';
import { type ConnectionKey, type ProbeId, probeId } from '../identity.ts';
import { type Expectation, isExpected, parseExpectation } from './expectation.ts';
import type { ProbeRequest } from './probe-sender.ts';
import type { ProbeThresholds } from './probe-state.ts';

/** What the body of an answer has to show. */
export interface BodyTest {
  /** Tells it from every other test. */
  readonly source: string;
  /** `text`: the first `BODY_BYTES` of the body at most. Must not throw. */
  holds(text: string): boolean;
}

/** How a pool wants its endpoints checked. */
export interface ProbeOptions extends ProbeThresholds {
  /** `tcp`: a connection is all that is wanted. `grpc`: a call of the health protocol, over HTTP/2 whatever the pool's protocol. */
  readonly type: 'http' | 'tcp' | 'grpc';
  readonly method: 'GET' | 'HEAD';
  /** Path and query of the request. */
  readonly path: string;
  /** Besides Host, or in place of the `User-Agent` and `Accept` that a check has. */
  readonly headers: HeaderList;
  /** `200`, `'200-299'`. */
  readonly expect: readonly (number | string)[];
  readonly body: BodyTest | null;
  /** For `grpc`; empty for the server as a whole. */
  readonly service: string;
  /** `Host` field; the endpoint's authority when `null`. */
  readonly host: string | null;
  /** From one result to the next check, before jitter. */
  readonly intervalMs: number;
  /** The same after a failure, and until it is up. */
  readonly failingIntervalMs: number;
  /** Share of the interval that the next check comes sooner or later by. */
  readonly jitter: number;
  /** For the whole check, connecting included; 0 = none. */
  readonly timeoutMs: number;
}

/** One check of one origin, compiled. */
export interface ProbeDefinition {
  readonly id: ProbeId;
  readonly origin: string;
  readonly request: ProbeRequest;
  readonly expectation: Expectation;
  readonly body: BodyTest | null;
  readonly intervalMs: number;
  readonly failingIntervalMs: number;
  readonly jitter: number;
  readonly timeoutMs: number;
  readonly thresholds: ProbeThresholds;
}

/** The check of `place` that `options` ask for. Throws a `RangeError` for an impossible expectation. */
export function defineProbe(place: Place, options: ProbeOptions): ProbeDefinition {
  const { path: target, body, rise, fall, start, ...rest } = options;
  const { intervalMs, failingIntervalMs, jitter, timeoutMs } = options;
  const host = options.host ?? place.authority;
  const identity = { ...rest, target, host, body: body?.source ?? null, rise, fall, start };
  const id = probeId(place.destination.connectionKey as ConnectionKey, identity);
  const destination = {
    ...place.destination,
    connectionKey: `probe:${id}`,
    limits: connectionForChecks(timeoutMs),
  };
  const expectation = parseExpectation(options.expect);
  return {
    id,
    origin: place.origin,
    request: requestOf(options, { destination, host, expectation }),
    expectation,
    body,
    ...{ intervalMs, failingIntervalMs, jitter, timeoutMs },
    thresholds: { rise, fall, start },
  };
}

function requestOf(
  { type, method, path: target, headers, service, body }: ProbeOptions,
  { destination, host, expectation }: { destination: Destination; host: string; expectation: Expectation },
): ProbeRequest {
  if (type === 'tcp') return { type, destination };
  if (type === 'grpc') {
    const overHttp2 = { ...destination, protocol: 'http2' } as const;
    return { type, destination: overHttp2, headers: ['Host', host, ...withAgent(headers)], service };
  }
  const wantsBody = body === null ? null : (status: number) => isExpected(expectation, status);
  return { type, destination, method, target, headers: ['Host', host, ...withDefaults(headers)], wantsBody };
}

function withDefaults(headers: HeaderList): HeaderList {
  const all = withAgent(headers);
  return getHeader(headers, 'accept') === null ? [...all, 'Accept', '*/*'] : all;
}

function withAgent(headers: HeaderList): HeaderList {
  return getHeader(headers, 'user-agent') === null ? [...headers, 'User-Agent', 'headgate'] : headers;
}

/**
 * Checks never share the connections of traffic. In a full queue they would time out, and overload would look like illness:
 * the endpoint goes down, the others get its load, and follow. And a kept-alive socket that the endpoint closes just then
 * would be a false failure, so each check connects anew, which also shows that the endpoint still accepts.
 */
function connectionForChecks(timeoutMs: number): Destination['limits'] {
  return {
    maxConnections: 1,
    maxQueued: 1,
    queueTimeoutMs: timeoutMs,
    keepAliveMs: 1,
    connectTimeoutMs: timeoutMs,
  };
}
