import type { Destination } from '../../exchange/attempt.ts';
import type { Place } from '../endpoint.ts';
import { type ConnectionKey, type ProbeId, probeId } from '../identity.ts';
import { type Expectation, parseExpectation } from './expectation.ts';
import type { ProbeThresholds } from './probe-state.ts';

/** How a pool wants its endpoints checked. */
export interface ProbeOptions extends ProbeThresholds {
  /** `tcp`: a connection is all that is wanted; nothing is requested. */
  readonly type: 'http' | 'tcp';
  /** Path and query of the GET request. */
  readonly path: string;
  /** `200`, `'200-299'`. */
  readonly expect: readonly (number | string)[];
  /** `Host` field; the endpoint's authority when `null`. */
  readonly host: string | null;
  /** From one result to the next check, before jitter. */
  readonly intervalMs: number;
  /** For the whole check, connecting included; 0 = none. */
  readonly timeoutMs: number;
}

/** One check of one origin, compiled. */
export interface ProbeDefinition {
  readonly type: 'http' | 'tcp';
  readonly id: ProbeId;
  readonly origin: string;
  readonly destination: Destination;
  readonly target: string;
  readonly host: string;
  readonly expectation: Expectation;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly thresholds: ProbeThresholds;
}

/** The check of `place` that `options` ask for. Throws a `RangeError` for an impossible expectation. */
export function defineProbe(place: Place, options: ProbeOptions): ProbeDefinition {
  const { type, path: target, expect, intervalMs, timeoutMs, rise, fall, start } = options;
  const host = options.host ?? place.authority;
  const identity = { type, target, host, expect, intervalMs, timeoutMs, rise, fall, start };
  const id = probeId(place.destination.connectionKey as ConnectionKey, identity);
  return {
    type,
    id,
    origin: place.origin,
    destination: { ...place.destination, connectionKey: `probe:${id}`, limits: connectionForChecks(timeoutMs) },
    target,
    host,
    expectation: parseExpectation(expect),
    intervalMs,
    timeoutMs,
    thresholds: { rise, fall, start },
  };
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
