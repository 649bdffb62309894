import { z } from 'zod';
import { duration, isMap, share } from '../units.ts';

const most = z.number().int().min(1);

const queue = z
  .strictObject({
    size: z.number().int().min(0).default(1024).describe('Most requests that wait; 0 for none'),
    timeout: duration.default(10_000).describe('Longest wait; then 503'),
    target: duration.default(100).describe('A wait that is fine'),
    interval: duration
      .default(1_000)
      .describe('Waits above the target for so long: the newest go first, and those above the target get 503'),
  })
  .superRefine(
    (value, context) => {
      for (const key of ['timeout', 'target', 'interval'] as const) {
        if (value[key] !== 0) continue;
        const message = `a queue without ${key} would not be bounded; size: 0 is no queue`;
        context.issues.push({ code: 'custom', input: value[key], message, path: [key] });
      }
    },
    { when: isMap },
  );

const adaptive = z
  .strictObject({
    min: most.default(4).describe('Least; so many are in flight while latency without load is measured'),
    max: most.default(1_000).describe('Most'),
    start: most.default(20).describe('Before anything is known'),
    tolerance: share.default(0.25).describe('How much slower than without load an endpoint may be'),
    probe: duration.default(60_000).describe('Under unbroken load, latency without it is measured so often'),
  })
  .superRefine(
    ({ min, max, start, probe }, context) => {
      const complain = (key: string, message: string): void => {
        context.issues.push({ code: 'custom', input: key, message, path: [key] });
      };
      if (max < min) complain('max', 'max is less than min');
      else if (start < min || start > max) complain('start', `start is not within min and max, ${min} and ${max}`);
      if (probe < 1_000) complain('probe', 'a probe takes requests away: 1s is the least between two');
    },
    { when: isMap },
  );

export const limits = z
  .strictObject({
    inFlight: most.optional().describe('Requests at all endpoints together; more wait in the queue'),
    perEndpoint: most.optional().describe('Requests at each endpoint; more go to others, or wait'),
    adaptive: adaptive
      .optional()
      .describe('In place of perEndpoint: a limit that each endpoint’s latency decides; {} for the defaults'),
    queue: queue.prefault({}).describe('Where requests over the limits wait'),
  })
  .superRefine(
    ({ inFlight, perEndpoint, adaptive }, context) => {
      const complain = (message: string, path: string[]): void => {
        context.issues.push({ code: 'custom', input: path[0], message, path });
      };
      if (perEndpoint !== undefined && adaptive !== undefined) {
        complain('perEndpoint is fixed and adaptive is not: give one of them, or adaptive: { max }', ['perEndpoint']);
      }
      if (inFlight === undefined && perEndpoint === undefined && adaptive === undefined) {
        complain('limits without inFlight, perEndpoint or adaptive limit nothing', []);
      }
    },
    { when: isMap },
  );

export type LimitsConfig = z.output<typeof limits>;
