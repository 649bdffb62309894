import { z } from 'zod';
import { share } from './units.ts';

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
