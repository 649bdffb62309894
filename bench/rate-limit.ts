/**
 * What a rate limit costs a request, without the request: a key that is known, a key that is new each time in a table that is full, and what a key takes
 * of the memory.
 */
import { Bench } from 'tinybench';
import { systemClock } from '../src/clock.ts';
import type { PolicyRequest } from '../src/policy/admit.ts';
import { BucketTable } from '../src/policy/rate-limit/bucket-table.ts';
import { concurrencyPolicy, InFlight } from '../src/policy/rate-limit/concurrency.ts';
import { gcraOf } from '../src/policy/rate-limit/gcra.ts';
import { compileKey } from '../src/policy/rate-limit/key.ts';
import { Limit } from '../src/policy/rate-limit/limit.ts';
import { policyItem } from '../src/policy/rate-limit/limit-fields.ts';
import { rateLimitPolicy } from '../src/policy/rate-limit/rate-limit.ts';
import type { LimitRule } from '../src/policy/rate-limit/trial.ts';

const MAX_KEYS = 100_000;
const allowance = { rate: { count: 1_000_000, periodMs: 1_000 }, burst: 1_000_000 };

function keyOf(texts: readonly string[]): LimitRule['key'] {
  const key = compileKey(texts, [], { ipv4Prefix: 32, ipv6Prefix: 64, withoutKey: 'skip' });
  if (!key.ok) throw new Error(key.message);
  return key.value;
}

function ruleOf(texts: readonly string[], tells: boolean, given = allowance): LimitRule {
  return {
    limit: new Limit('bench', 'default', { ...given, maxKeys: MAX_KEYS }),
    key: keyOf(texts),
    cost: () => 1,
    status: 429,
    dryRun: false,
    policyItem: tells ? policyItem('default', gcraOf(given)) : null,
    store: null,
  };
}

/** Fields are made, and go nowhere. */
function requestBy(address: string): PolicyRequest {
  const request = { method: 'GET', headers: ['Host', 'shop.test', 'X-Tenant', 'tenant-4711'] };
  const client = { address };
  const ignore = (): void => {};
  const facts = {
    request,
    client,
    hypothetical: false,
    addResponseField: ignore,
    note: ignore,
    atEnd: (end: () => void) => end(),
  };
  return facts as unknown as PolicyRequest;
}

const v4 = requestBy('192.0.2.7');
const v6 = requestBy('2001:db8:1:2:3:4:5:6');
const options = { phase: 'rateLimit', clock: systemClock } as const;
const quiet = rateLimitPolicy([ruleOf(['{client.address}'], false)], options);
const told = rateLimitPolicy([ruleOf(['{client.address}'], true)], options);
const two = rateLimitPolicy(
  [ruleOf(['{client.address}'], true), ruleOf(['{header.x-tenant}', '{client.address}'], true)],
  options,
);
const refusing = rateLimitPolicy(
  [ruleOf(['{client.address}'], true, { rate: { count: 1, periodMs: 86_400_000 }, burst: 1 })],
  options,
);
const concurrency = concurrencyPolicy([
  {
    inFlight: new InFlight('bench', 'default'),
    max: 10,
    key: keyOf(['{client.address}']),
    status: 429,
    retryAfterSeconds: 1,
    dryRun: false,
  },
]);
const flooded = new BucketTable(MAX_KEYS);
let next = 0;
const flood = (): void => {
  next += 1;
  flooded.set(`invented ${next}`, Number.MAX_SAFE_INTEGER - 1_000 + (next % 1_000), 0);
};

const gc = globalThis.gc as (() => void) | undefined;
gc?.();
const before = process.memoryUsage();
while (flooded.size < MAX_KEYS) flood();
gc?.();
const after = process.memoryUsage();
const used = after.heapUsed + after.external - before.heapUsed - before.external;
process.stdout.write(
  gc === undefined ? 'memory: run with --expose-gc\n' : `memory of a key: ${Math.round(used / MAX_KEYS)} bytes\n`,
);

const bench = new Bench({ time: 1_000 });
bench
  .add('IPv4, untold', () => void quiet.admit(v4))
  .add('IPv4, with RateLimit', () => void told.admit(v4))
  .add('IPv6, with RateLimit', () => void told.admit(v6))
  .add('two limits, one by two parts', () => void two.admit(v4))
  .add('refused', () => void refusing.admit(v4))
  .add('concurrency', () => void concurrency.admit(v4))
  .add('a new key in a full table', flood);
await bench.run();
console.table(bench.table());
