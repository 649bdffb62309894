import { closest, didYouMean, enumerate } from '../../config/suggest.ts';
import { type ControlRefusal, type ControlResult, MOST_WEIGHT } from '../../control/control.ts';
import type { GatewayStatus, PoolStatus } from '../../control/status.ts';
import { type Answer, type Call, named, type Operation, ok } from '../operation.ts';
import type { Refusal } from '../refusal.ts';
import { component, described, listOf, orNull, record } from '../schema.ts';

const POOL = '/pools/{pool}';
const ENDPOINT = `${POOL}/endpoints/{endpoint}`;

/** Pools and endpoints: how they are, and what an operator wants of them. */
export const upstreamOperations: readonly Operation[] = [
  {
    id: 'pools',
    method: 'GET',
    path: '/pools',
    access: 'reading',
    summary: 'All pools',
    tag: 'upstream',
    answers: { 200: { description: 'In the order of the configuration', schema: listOf(component('Pool')) } },
    run: async ({ desk }) => ok((await desk.status()).pools),
  },
  {
    id: 'pool',
    method: 'GET',
    path: POOL,
    access: 'reading',
    summary: 'One pool',
    tag: 'upstream',
    answers: { 200: { description: 'It', schema: component('Pool') } },
    refusals: { 404: 'There is no such pool' },
    run: async (call) => {
      const found = poolNamed(await call.desk.status(), named(call, 'pool'));
      return 'error' in found ? found : ok(found);
    },
  },
  {
    id: 'endpoints',
    method: 'GET',
    path: '/endpoints',
    access: 'reading',
    summary: 'All endpoints of all pools',
    tag: 'upstream',
    answers: {
      200: { description: 'Each with its pool', schema: listOf(component('PooledEndpoint')) },
    },
    run: async ({ desk }) => {
      const { pools } = await desk.status();
      return ok(pools.flatMap(({ name, endpoints }) => endpoints.map((endpoint) => ({ pool: name, ...endpoint }))));
    },
  },
  {
    id: 'limits',
    method: 'GET',
    path: '/limits',
    access: 'reading',
    summary:
      'What keeps pools from doing too much: limits, breakers, retry budgets, and the overload of the gateway itself',
    tag: 'upstream',
    answers: { 200: { description: 'For each pool', schema: component('Limits') } },
    run: async ({ desk }) => ok(limitsOf(await desk.status())),
  },
  deed('drain', 'Sends it no new work but the sessions that it has'),
  deed('disable', 'Sends it nothing at all: its sessions move'),
  deed('enable', 'As it is without anybody’s hand, but for its weight'),
  {
    id: 'weight',
    method: 'PUT',
    path: `${ENDPOINT}/weight`,
    access: 'change',
    summary: 'Gives it another share of the traffic',
    tag: 'upstream',
    body: record({
      weight: described(
        orNull({ type: 'integer', minimum: 0, maximum: MOST_WEIGHT }),
        '`null` for that of the configuration; 0 keeps its sessions and gets nothing new',
      ),
    }),
    answers: { 200: { description: 'How it is then', schema: component('Hand') } },
    refusals: endpointRefusals(),
    run: async (call) => {
      const weight = call.body['weight'] as number | null;
      const { desk, by } = call;
      return outcomeOf(await desk.setWeight(named(call, 'pool'), named(call, 'endpoint'), weight, by));
    },
  },
];

function deed(id: 'drain' | 'disable' | 'enable', summary: string): Operation {
  return {
    id,
    method: 'POST',
    path: `${ENDPOINT}/${id}`,
    access: 'change',
    summary,
    tag: 'upstream',
    body: record({}),
    answers: { 200: { description: 'How it is then', schema: component('Hand') } },
    refusals: endpointRefusals(),
    run: async (call: Call) => outcomeOf(await call.desk[id](named(call, 'pool'), named(call, 'endpoint'), call.by)),
  };
}

/** A function, since operations above are made of it. */
function endpointRefusals(): Readonly<Record<number, string>> {
  return {
    404: 'There is no such pool, or no such endpoint in it',
    409: 'The name fits several endpoints: give the origin',
  };
}

const STATUS_OF: Readonly<Record<ControlRefusal, number>> = {
  'unknown-pool': 404,
  'unknown-endpoint': 404,
  'ambiguous-endpoint': 409,
  'weight-out-of-range': 400,
};

function outcomeOf(result: ControlResult): Answer | Refusal {
  if (result.ok) return ok({ ...result.state, changed: result.changed });
  const { reason, message } = result;
  const what =
    reason === 'weight-out-of-range'
      ? { field: '/weight' }
      : { parameter: reason === 'unknown-pool' ? 'pool' : 'endpoint' };
  return { status: STATUS_OF[reason], error: reason, message, ...what };
}

function poolNamed({ pools }: GatewayStatus, name: string): PoolStatus | Refusal {
  const found = pools.find((pool) => pool.name === name);
  if (found !== undefined) return found;
  const names = pools.map((pool) => pool.name);
  const near = closest(name, names);
  const hint = near === null ? `there are ${enumerate(names, 'and')}` : didYouMean(near);
  return { status: 404, error: 'unknown-pool', message: `“${name}” is no pool: ${hint}`, parameter: 'pool' };
}

function limitsOf({ pools, overload }: GatewayStatus): object {
  return {
    overload,
    pools: pools.map(({ name, limits, breaker, retries, endpoints }) => ({
      ...{ name, limits, breaker, retries },
      endpoints: endpoints.map(({ origin, inFlight, inFlightLimit, breaker: own, ejection }) => ({
        ...{ origin, inFlight, inFlightLimit, breaker: own, ejection },
      })),
    })),
  };
}
