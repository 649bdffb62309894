import { z } from 'zod';
import { oneOrMore } from '../units.ts';

const template = z.union([
  z.string().meta({ description: 'Text; {status}, {title}, {code}, {reason} and {id} are filled in' }),
  z.strictObject({ file: z.string().min(1).describe('A file with it; looked at again every 2 seconds') }),
]);

const page = z.strictObject({
  html: template.optional().describe('For browsers: text/html'),
  json: template.optional().describe('For programs: application/json'),
  text: template.optional().describe('For who asks for text/plain'),
});

/** Pages for Headgate’s own errors. */
export const errorPages = z.strictObject({
  pages: z
    .record(
      z
        .string()
        .regex(/^(?:default|[45]xx|[45]\d\d)$/, 'errors are named by status (404), class (4xx, 5xx), or default'),
      page,
    )
    .default({})
    .describe('Pages by status (404), class (4xx, 5xx), or default'),
  json: z
    .enum(['plain', 'problem'])
    .default('plain')
    .describe('problem: application/problem+json (RFC 9457) for whoever takes JSON'),
  intercept: oneOrMore(z.number().int().min(500).max(599))
    .optional()
    .describe('Statuses of endpoints whose responses are replaced by these pages: 502, 503'),
});

export type ErrorPagesPolicyConfig = z.output<typeof errorPages>;
