import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdaptiveLimit, type AdaptiveOptions } from '../../../../src/upstream/limit/adaptive-limit.ts';
import { seededRandom } from '../endpoints.ts';
import { type Server, SimulatedEndpoint } from './simulated-endpoint.ts';

const OPTIONS: AdaptiveOptions = { min: 4, max: 1000, start: 20, tolerance: 0.25, probeMs: 60_000 };
const CROWD = 5_000;

function endpointWith(workers: number, serviceMs: number, options = OPTIONS): SimulatedEndpoint {
  return new SimulatedEndpoint({ workers, serviceMs }, options, seededRandom(1));
}

/** What all workers together can do, busy all the time. */
function capacityOf({ workers, serviceMs }: Server): number {
  return (workers / serviceMs) * 1_000;
}

describe('an adaptive limit', () => {
  for (const [workers, serviceMs] of [
    [10, 50],
    [20, 50],
    [100, 20],
    [100, 200],
    [200, 10],
  ] as const) {
    test(`finds the capacity of ${workers} workers with ${serviceMs} ms each: all of them busy, and little that waits`, () => {
      const endpoint = endpointWith(workers, serviceMs);
      endpoint.run(3_000, CROWD);
      const steady = endpoint.run(5_000, CROWD);
      expect(steady.perSecond / capacityOf(endpoint.server)).toBeGreaterThan(0.97);
      expect(steady.medianMs).toBeLessThan(2 * serviceMs);
      expect(steady.limit).toBeGreaterThanOrEqual(workers);
      expect(steady.limit).toBeLessThan(2 * workers);
    });
  }

  test('does not take the latency that a queue causes for normal, however long the load lasts', () => {
    const endpoint = endpointWith(20, 50);
    endpoint.run(5_000, CROWD);
    const early = endpoint.run(30_000, CROWD);
    endpoint.run(600_000, CROWD);
    const late = endpoint.run(30_000, CROWD);
    expect(late.limit / early.limit).toBeGreaterThan(0.8);
    expect(late.limit / early.limit).toBeLessThan(1.2);
  });

  test('follows an endpoint that loses half of its workers, and one that gets them back', () => {
    const endpoint = endpointWith(40, 50);
    endpoint.run(20_000, CROWD);
    endpoint.server = { workers: 20, serviceMs: 50 };
    endpoint.run(20_000, CROWD);
    const halved = endpoint.run(30_000, CROWD);
    expect(halved.medianMs).toBeLessThan(100);
    expect(halved.perSecond).toBeGreaterThan(0.97 * 400);
    endpoint.server = { workers: 40, serviceMs: 50 };
    endpoint.run(20_000, CROWD);
    expect(endpoint.run(30_000, CROWD).perSecond).toBeGreaterThan(0.97 * 800);
  });

  test('lets an endpoint that has become slower by itself do all that it can', () => {
    const endpoint = endpointWith(50, 20);
    endpoint.run(20_000, CROWD);
    endpoint.server = { workers: 50, serviceMs: 60 };
    endpoint.run(20_000, CROWD);
    expect(endpoint.run(30_000, CROWD).perSecond / capacityOf(endpoint.server)).toBeGreaterThan(0.97);
  });

  test('does not grow while nobody needs it', () => {
    const endpoint = endpointWith(100, 20);
    endpoint.run(60_000, 3);
    expect(endpoint.limit.value(OPTIONS)).toBe(OPTIONS.start);
  });

  test('falls with failures, and with answers that turn requests away, however fast these are', () => {
    for (const status of [429, 503]) {
      const limit = new AdaptiveLimit({ ...OPTIONS, start: 100 }, seededRandom(1));
      let nowMs = 0;
      for (let i = 0; i < 400; i += 1) {
        nowMs += 10;
        limit.began(4);
        limit.answered({ status: i % 2 === 0 ? 200 : status, headMs: 10, nowMs }, 4, OPTIONS);
      }
      expect(limit.value(OPTIONS)).toBeLessThan(50);
    }
  });

  test('never leaves its bounds, whatever the latencies are', () => {
    const latency = fc.record({
      headMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 })),
      stepMs: fc.integer({ min: 0, max: 2_000 }),
      inFlight: fc.integer({ min: 1, max: 2_000 }),
      status: fc.constantFrom(0, 200, 404, 429, 500),
      failed: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(latency, { maxLength: 300 }), fc.integer({ min: 1, max: 30 }), (events, min) => {
        const options = { ...OPTIONS, min, start: Math.max(min, 20), max: 50 };
        const limit = new AdaptiveLimit(options, seededRandom(7));
        let nowMs = 0;
        for (const { headMs, stepMs, inFlight, status, failed } of events) {
          nowMs += stepMs;
          limit.began(inFlight);
          if (failed) limit.failed();
          limit.answered({ status, headMs, nowMs }, inFlight, options);
          const value = limit.value(options);
          expect(Number.isInteger(value) && value >= min && value <= 50).toBe(true);
        }
      }),
      { seed: 4 },
    );
  });
});
