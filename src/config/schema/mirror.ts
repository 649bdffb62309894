import { z } from 'zod';
import { duration, name, share, size } from './units.ts';

/** Copies of a route's requests for another pool. */
export const mirror = z.strictObject({
  pool: name.describe('Gets the copies; what it answers is dropped'),
  share: share
    .refine((part) => part > 0, 'a share above 0; leave “mirror” out for no copies')
    .default(1)
    .describe('Of the requests that go to the route’s pool'),
  bodyBuffer: size.default(64 * 1024).describe('Requests with a larger body are not copied; 0 for none with a body'),
  inFlight: z.number().int().min(1).max(10_000).default(64).describe('Copies at once; more are dropped'),
  timeout: duration
    .refine((ms) => ms > 0, 'a duration above 0')
    .default(5_000)
    .describe('From the beginning of a copy to the head of its response'),
});

export type MirrorConfig = z.output<typeof mirror>;
