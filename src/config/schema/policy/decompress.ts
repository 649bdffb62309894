import { z } from 'zod';
import { size } from '../units.ts';

const given = z.strictObject({
  limit: size.default(10 * 1024 ** 2).describe('A body, decoded; 413 for more'),
  ratio: z
    .number()
    .min(1)
    .max(10_000)
    .default(200)
    .describe('How many times as large as it came a body may become, from 256 KiB on; 413 for more'),
});

/** Content codings of requests are taken off before they are forwarded. */
export const decompress = z
  .union([z.literal(true).transform(() => given.parse({})), given])
  .transform((value): z.output<typeof given> => value);

export type DecompressConfig = z.output<typeof decompress>;
