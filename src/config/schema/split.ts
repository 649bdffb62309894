import { z } from 'zod';
import { affinity, isSecure } from './pool/affinity.ts';
import { hashKey } from './pool/balance.ts';
import { isMap, name } from './units.ts';

/** The pools that share the requests of a route. */
export const split = z
  .array(
    z.strictObject({
      pool: name.describe('One of the pools'),
      weight: z
        .number()
        .int()
        .min(0)
        .max(10_000)
        .describe('Its part of the sum of all weights; 0: only clients that its cookie sends there'),
    }),
  )
  .min(1);

const { cookie, secret, path, domain, secure, httpOnly, sameSite, maxAge } = affinity.shape;

const splitCookie = z
  .strictObject({ cookie, secret, path, domain, secure, httpOnly, sameSite, maxAge })
  .refine((given) => given.sameSite !== 'none' || given.secure !== 'never', {
    message: 'browsers drop a cookie with SameSite=None that is not Secure: write secure: auto, or sameSite: lax',
    path: ['secure'],
    when: isMap,
  })
  .refine((given) => !/^__(host|secure)-/i.test(given.cookie ?? '') || isSecure(given.secure, given.sameSite), {
    message: 'the prefix of this name promises Secure (RFC 6265bis §4.1.3): write secure: always',
    when: isMap,
  })
  .refine((given) => !/^__host-/i.test(given.cookie ?? '') || (given.domain === undefined && given.path === '/'), {
    message: '“__Host-” promises the path / and no domain (RFC 6265bis §4.1.3)',
    when: isMap,
  });

/** What makes a client stay with its pool. */
export const sticky = z.union([
  z.literal(true),
  z.strictObject({ by: hashKey.describe('Requests with the same value go to the same pool, without a cookie') }),
  z.strictObject({ insert: splitCookie.describe('A cookie that names the pool; {} is the same as sticky: true') }),
]);

export type SplitConfig = z.output<typeof split>;
export type StickyConfig = z.output<typeof sticky>;
