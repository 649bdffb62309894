import { z } from 'zod';
import { size } from '../units.ts';

const codings = ['zstd', 'br', 'gzip'] as const;

/** `text/html`, `text/*` or `+json`. */
export const mediaRange = z
  .string()
  .regex(
    /^(?:[A-Za-z0-9!#$&^_.+-]+\/(?:\*|[A-Za-z0-9!#$&^_.+-]+)|\+[A-Za-z0-9-]+)$/,
    'a media type is written as type/subtype, type/* or +suffix',
  );

const levels = z.strictObject({
  zstd: z.int().min(1).max(9).default(3).describe('1 to 9; more memory and time with each'),
  br: z.int().min(0).max(6).default(4).describe('Quality, 0 to 6; those above are for files, not for answers'),
  gzip: z.int().min(1).max(9).default(6).describe('1 to 9'),
});

const given = z.strictObject({
  codings: z
    .array(z.enum(codings))
    .min(1)
    .refine((list) => new Set(list).size === list.length, 'a coding is named once')
    .default([...codings])
    .describe('In order of preference, where a client likes several alike'),
  types: z
    .array(mediaRange)
    .min(1)
    .optional()
    .describe('Media types that are compressed, as text/html, text/* or +json (default: docs/compression.md)'),
  minSize: size.default(1024).describe('A body that is announced to be smaller is not compressed'),
  level: levels.prefault({}).describe('How much time is taken for how much smaller a body'),
  atOnce: z
    .int()
    .min(1)
    .max(10_000)
    .default(128)
    .describe('Bodies that are compressed at the same time; more pass uncompressed'),
});

/** Compression of responses. */
export const compress = z
  .union([z.literal(true).transform(() => given.parse({})), given])
  .transform((value): z.output<typeof given> => value);

export type CompressConfig = z.output<typeof compress>;
