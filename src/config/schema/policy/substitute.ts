import { z } from 'zod';
import { mediaRange } from './compress.ts';

const rule = z.strictObject({
  find: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= 256, 'a text of 256 octets at most')
    .describe('A text, as it stands in the body; at most 256 octets in UTF-8'),
  replace: z
    .string()
    .max(16_384)
    .describe('What stands in its place; may hold variables, which are escaped for the body'),
});

/** Texts that are replaced in the bodies of responses. */
export const substitute = z.strictObject({
  rules: z.array(rule).min(1).max(64).describe('Of several that begin at the same place, the first one counts'),
  types: z
    .array(mediaRange)
    .min(1)
    .default(['text/html'])
    .describe('Media types of the bodies, as text/html, text/* or +json'),
});

export type SubstituteConfig = z.output<typeof substitute>;
