import { z } from 'zod';
import { share, size } from './units.ts';

/** Longer filters are refused by `src/filter/`, which says why. */
const MOST_CHARACTERS = 4096;

export const accessLog = z
  .strictObject({
    enabled: z.boolean().default(true).describe('Write a line for each exchange'),
    format: z
      .enum(['json', 'combined', 'ecs'])
      .default('json')
      .describe(
        'One JSON object a line, the format of Apache and nginx, or JSON with the names of the Elastic Common Schema',
      ),
    file: z.string().optional().describe('Standard output unless given'),
    only: z
      .string()
      .min(1)
      .max(MOST_CHARACTERS)
      .optional()
      .describe('Lines of these exchanges only: status>=500 or duration>1s (docs/logs.md)'),
    sample: share
      .default(1)
      .describe('Share of the exchanges that ended well and below 400 that have a line; all others have theirs'),
    recent: z
      .number()
      .int()
      .min(0)
      .max(100_000)
      .default(1_000)
      .describe('Exchanges that are remembered for headgate tail and headgate top; 0 for none'),
    recentBytes: size.default(4 * 1024 ** 2).describe('Most memory for them'),
  })
  .prefault({});

export const log = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least importance of what the gateway says of itself'),
  })
  .prefault({});
