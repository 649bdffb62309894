import { z } from 'zod';
import { isMap, oneOrMore } from '../units.ts';

/** Numbers and booleans are what they look like: a token says 5 or "5". */
const scalar = z.union([z.string().max(4096), z.number().max(Number.MAX_SAFE_INTEGER), z.boolean()]).transform(String);

const claimTest = z
  .union([
    scalar,
    z.strictObject({ oneOf: z.array(scalar).min(1).describe('One of these values') }),
    z.strictObject({
      contains: oneOrMore(scalar).describe('All of these are members of the list, or words of the text, as in scope'),
    }),
    z.strictObject({
      regex: z.string().min(1).describe('A value that matches; RE2 syntax, not anchored unless it says so'),
    }),
    z.strictObject({ present: z.literal(true).describe('There, with any value') }),
  ])
  .meta({ description: 'A value, or one of { oneOf, contains, regex, present: true }' })
  .transform((value) => {
    if (typeof value !== 'object') return { kind: 'oneOf' as const, values: [value] };
    if ('oneOf' in value) return { kind: 'oneOf' as const, values: value.oneOf };
    if ('contains' in value) return { kind: 'contains' as const, values: value.contains };
    if ('regex' in value) return { kind: 'regex' as const, source: value.regex };
    return { kind: 'present' as const };
  });

export const authRequire = z
  .strictObject({
    claims: z
      .record(z.string().min(1), claimTest)
      .default({})
      .describe('Claims by name, with dots for claims inside claims; each has to hold'),
    users: oneOrMore(z.string().min(1)).optional().describe('Names of users; one of them'),
  })
  .refine(
    ({ claims, users }) => users !== undefined || (typeof claims === 'object' && Object.keys(claims).length > 0),
    {
      message: 'require needs claims or users',
      when: isMap,
    },
  );

export type AuthRequireConfig = z.output<typeof authRequire>;
