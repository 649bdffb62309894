import { z } from 'zod';

const verdict = z.enum(['allow', 'refuse']).default('allow');

/** Beside the listener’s `path`, which says what such a path comes to. */
export const paths = z
  .strictObject({
    encodedSlash: verdict.describe('%2F'),
    dotSegments: verdict.describe('"." and ".." segments, encoded or not, also those that the listener resolves'),
    duplicateSlashes: verdict.describe('"//", also those that the listener merges'),
    backslash: verdict.describe('"\\" and %5C'),
    semicolon: verdict.describe('";" and %3B: parameters of a segment, to some readers'),
    nonUtf8: verdict.describe('Escapes of octets that are not UTF-8: %FF, and overlong forms as %C0%AF'),
    doubleEncoding: verdict.describe('%25 before two hexadecimal digits: an escape to whoever decodes twice'),
    dryRun: z.boolean().default(false).describe('Refuse nothing, and note in the access log what it would have been'),
  })
  .meta({ description: 'Doubtful spellings of paths that this route refuses: 400 (docs/paths.md)' });

export type PathsConfig = z.output<typeof paths>;
