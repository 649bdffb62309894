import type { Logger } from '../observe/log.ts';
import type { UpstreamEvent } from '../upstream/events.ts';
import { logDiscovery, logDropped, logLeftOut, logMembers } from './discovery-log.ts';

type Of<K extends UpstreamEvent['kind']> = Extract<UpstreamEvent, { readonly kind: K }>;

/** One line for everything that happens to pools and endpoints, by kind. */
const lines: { readonly [K in UpstreamEvent['kind']]: (log: Logger, event: Of<K>) => void } = {
  breaker: logBreaker,
  health: logHealth,
  hand: logHand,
  panic: logPanic,
  'retry-budget': logRetryBudget,
  queue: logQueue,
  members: logMembers,
  'members-dropped': logDropped,
  discovery: logDiscovery,
  'left-out': logLeftOut,
  outlier: logOutlier,
  'slow-start': logSlowStart,
};

/** A log line for what has happened. */
export function logUpstream<K extends UpstreamEvent['kind']>(log: Logger, event: Of<K>): void {
  const line = lines[event.kind as K] as (log: Logger, event: Of<K>) => void;
  line(log, event);
}

function logHealth(log: Logger, { endpoint, up, outcome, heldMs }: Of<'health'>): void {
  const { reason, status } = outcome;
  const fields = { endpoint, reason, ...(status === null ? {} : { status }), heldMs };
  if (up) log.info(fields, 'Endpoint is up');
  else log.warn(fields, 'Endpoint is down');
}

function logHand(log: Logger, { pool, endpoint, standing, weightByHand, by }: Of<'hand'>): void {
  const { via, address } = by;
  const fields = { pool, endpoint, standing, weightByHand, via, ...(address === null ? {} : { address }) };
  log.info(fields, 'Endpoint set by hand');
}

function logBreaker(log: Logger, { pool, endpoint, state, reason, openMs, heldMs }: Of<'breaker'>): void {
  const where = endpoint === null ? { pool } : { pool, endpoint };
  if (state === 'tripped') log.warn({ ...where, reason, openMs, heldMs }, 'Breaker has tripped');
  else if (state === 'probing') log.info({ ...where, heldMs }, 'Breaker probes');
  else log.info({ ...where, heldMs }, 'Breaker lets everything pass');
}

function logPanic(log: Logger, { pool, panicking, inService, healthy }: Of<'panic'>): void {
  const fields = { pool, inService, healthy };
  if (panicking) log.warn(fields, 'Pool panics: so few endpoints are healthy that all of them get traffic');
  else log.info(fields, 'Pool no longer panics');
}

function logRetryBudget(log: Logger, { pool, spent }: Of<'retry-budget'>): void {
  if (spent) log.warn({ pool }, 'Retry budget of the pool is spent: failures are final');
  else log.info({ pool }, 'Retry budget of the pool suffices again');
}

function logQueue(log: Logger, { pool, standing, queued }: Of<'queue'>): void {
  if (standing) log.warn({ pool, queued }, 'Requests wait too long: the newest go first, and late ones are refused');
  else log.info({ pool, queued }, 'Requests are served in turn again');
}

function logOutlier(log: Logger, { pool, endpoint, change }: Of<'outlier'>): void {
  const { ejected, ...fields } = change;
  if (ejected) log.warn({ pool, endpoint, ...fields }, 'Endpoint is put aside');
  else log.info({ pool, endpoint, ...fields }, 'Endpoint is back');
}

function logSlowStart(log: Logger, { pool, endpoint, durationMs }: Of<'slow-start'>): void {
  log.info({ pool, endpoint, durationMs }, 'Endpoint starts slowly');
}
