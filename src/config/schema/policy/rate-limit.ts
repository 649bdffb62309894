import { z } from 'zod';
import { duration, method, name, oneOrMore, valueForms } from '../units.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_PER_SECOND = 1_000_000;

/** `100/s`, `5/m`, `1000/h`, `10/30s`. Parsed to a count and the milliseconds that it is for. */
export const rate = z
  .string()
  .register(valueForms, { kind: 'rate', noun: 'a rate', form: '100/s, 5/m, 1000/h, 10000/d or 10/30s' })
  .meta({ description: 'So many in a time: 100/s, 5/m, 1000/h, 10000/d, 10/30s', examples: ['100/s'] })
  .transform((text, context) => {
    const parts = /^([1-9]\d{0,8})\/([1-9]\d{0,4})?([smhd])$/.exec(text);
    const count = Number(parts?.[1]);
    const periodMs = Number(parts?.[2] ?? 1) * UNITS[(parts?.[3] ?? 's') as keyof typeof UNITS];
    if (parts !== null && count / periodMs <= MAX_PER_SECOND / 1_000) return { count, periodMs };
    if (parts === null) {
      const message = `"${text}" is not a rate`;
      context.issues.push({ code: 'custom', input: text, message, params: { unit: 'rate' } });
    } else context.issues.push({ code: 'custom', input: text, message: `${MAX_PER_SECOND} a second at most` });
    return z.NEVER;
  });

const units = z.number().int().min(0).max(1_000_000);

/** What both kinds of limits tell requests apart by. */
const counted = {
  name: name.optional().describe('What clients, logs and the admin API call it; default “default”, “default-2”, …'),
  key: z
    .union([z.string(), z.array(z.string()).max(8)])
    .transform((value): readonly string[] => (typeof value === 'string' ? [value] : value))
    .default(['{client.address}'])
    .describe(
      'What is counted apart: text with {variables}, or several that are one key together; [] for all requests as one',
    ),
  ipv4Prefix: z.number().int().min(1).max(32).default(32).describe('Bits of an IPv4 address that are one client'),
  ipv6Prefix: z.number().int().min(1).max(128).default(64).describe('Bits of an IPv6 address that are one client'),
  withoutKey: z
    .enum(['skip', 'share'])
    .default('skip')
    .describe('Requests that lack a part of the key: not counted, or with that part empty'),
  status: z
    .union([z.literal(429), z.literal(503)])
    .default(429)
    .describe('Status of the refusal'),
  dryRun: z.boolean().default(false).describe('Counts and notes in the log, and never refuses'),
};

const limit = z.strictObject({
  rate: rate.describe('How fast requests may come in the long run: 100/s, 5/m, 1000/h, 10000/d, 10/30s'),
  burst: z
    .number()
    .int()
    .min(1)
    .max(1_000_000_000)
    .optional()
    .describe('How many may come at once after a rest; default as many as the rate counts'),
  ...counted,
  cost: z
    .union([units, z.record(method, units)])
    .default(1)
    .describe('What a request takes; or by method, with “*” for all others (1); 0 is not counted'),
  headers: z.boolean().default(true).describe('Tells clients in RateLimit and RateLimit-Policy'),
  keys: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .default(100_000)
    .describe('Most keys that are remembered, some 160 bytes each'),
  store: name.optional().describe('One of “stores”, to count together with other gateways'),
});

export const rateLimit = oneOrMore(limit).describe('How often requests may come; all of several limits must admit');

const concurrent = z.strictObject({
  max: z.number().int().min(1).max(1_000_000).describe('Requests of one key that may be under way at once'),
  ...counted,
  retryAfter: duration
    .refine((ms) => ms >= 1_000, 'it is 1s at least')
    .default(1_000)
    .describe('Retry-After of the refusal'),
});

export const concurrency = oneOrMore(concurrent).describe('How many requests may be under way at once');

export type RateConfig = z.output<typeof rate>;
export type LimitConfig = z.output<typeof limit>;
export type RateLimitConfig = z.output<typeof rateLimit>;
export type ConcurrencyRuleConfig = z.output<typeof concurrent>;
export type ConcurrencyConfig = z.output<typeof concurrency>;
