import {
  component,
  count,
  counts,
  described,
  listOf,
  orNull,
  quantity,
  record,
  type Schema,
  text,
  time,
  truth,
  words,
} from '../schema.ts';

const breaker = record({
  state: words('passing', 'tripped', 'probing'),
  since: time,
  until: orNull(time),
  reason: orNull(words('consecutive-failures', 'error-ratio', 'latency', 'probe-failed')),
  trips: count,
  refusals: count,
  attempts: count,
  failures: count,
});

const check = record({
  since: time,
  contrary: count,
  last: orNull(record({ healthy: truth, reason: text, status: orNull(count), elapsedMs: quantity, at: time })),
  next: orNull(time),
});

const ejection = record({ reason: text, since: time, until: time, inARow: count, ejections: count });

const traffic = record({
  opened: count,
  reused: count,
  retired: count,
  racesLost: count,
  connectMs: quantity,
  failures: counts,
});

const endpoint = {
  origin: text,
  name: orNull(described(text, 'The name that led to this address')),
  weight: quantity,
  weightByHand: orNull(quantity),
  priority: count,
  health: words('up', 'down', 'unchecked'),
  check: orNull(check),
  ejection: orNull(ejection),
  ramp: described(quantity, 'Share of its weight while it starts slowly'),
  standing: words('enabled', 'draining', 'disabled'),
  inFlight: count,
  sessions: orNull(count),
  breaker: orNull(component('Breaker')),
  inFlightLimit: orNull(quantity),
  connections: record({ open: count, busy: count, queued: count }),
  traffic: orNull(traffic),
};

const retries = record({ made: counts, refused: count, hedgesWon: count, left: quantity });

const poolLimits = record({
  inFlight: count,
  queued: count,
  served: count,
  waitedMs: quantity,
  left: count,
  refused: counts,
  shedding: truth,
  inFlightLimit: orNull(quantity),
});

const overload = record({
  active: truth,
  severity: quantity,
  eventLoopDelayMs: quantity,
  memory: quantity,
  refused: count,
});

const source = record({
  source: text,
  goodAt: orNull(time),
  trouble: orNull(text),
  detail: orNull(text),
  nextAt: orNull(time),
  leftOut: listOf(record({ what: text, reason: text })),
});

/** Pools, endpoints, and what keeps them from doing too much. */
export const upstreamSchemas: Readonly<Record<string, Schema>> = {
  Breaker: breaker,
  Endpoint: record(endpoint),
  PooledEndpoint: record({ pool: text, ...endpoint }),
  Overload: overload,
  Pool: record({
    name: text,
    available: described(count, 'Endpoints that may be picked now'),
    absence: orNull(described(text, 'Why it has no endpoints: pool-quarantined, name-not-resolved')),
    breaker: orNull(component('Breaker')),
    panicking: described(truth, 'So few are healthy that health is not asked for'),
    priorities: listOf(record({ priority: count, inService: count, healthy: count, share: quantity })),
    retries: component('Retries'),
    limits: orNull(component('PoolLimits')),
    endpoints: listOf(component('Endpoint')),
    discovery: listOf(source),
  }),
  Retries: retries,
  PoolLimits: poolLimits,
  Limits: record({
    overload: orNull(component('Overload')),
    pools: listOf(
      record({
        name: text,
        limits: orNull(component('PoolLimits')),
        breaker: orNull(component('Breaker')),
        retries: component('Retries'),
        endpoints: listOf(
          record({
            origin: text,
            inFlight: count,
            inFlightLimit: orNull(quantity),
            breaker: orNull(component('Breaker')),
            ejection: orNull(ejection),
          }),
        ),
      }),
    ),
  }),
  Hand: record({
    pool: text,
    endpoint: text,
    standing: words('enabled', 'draining', 'disabled'),
    weight: quantity,
    weightByHand: orNull(quantity),
    inFlight: count,
    sessions: orNull(count),
    changed: described(truth, 'It was otherwise before'),
  }),
};
