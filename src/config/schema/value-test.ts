import { z } from 'zod';

/** What a header, cookie, parameter or part of a body must be. */
export type ValueTest =
  | { readonly kind: 'exact' | 'prefix' | 'regex'; readonly value: string }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'present' | 'absent' };

export const valueTest = z
  .union([
    z.string(),
    z.strictObject({ exact: z.string().describe('Exactly this value') }),
    z.strictObject({ oneOf: z.array(z.string()).min(1).describe('One of these values') }),
    z.strictObject({ prefix: z.string().describe('A value that starts with this') }),
    z.strictObject({ regex: z.string().describe('A value that matches; RE2 syntax, not anchored unless it says so') }),
    z.strictObject({ present: z.literal(true).describe('Given, with any value') }),
    z.strictObject({ absent: z.literal(true).describe('Not given') }),
  ])
  .meta({ description: 'A value, or one of { exact, oneOf, prefix, regex, present: true, absent: true }' })
  .transform((value): ValueTest => {
    if (typeof value === 'string') return { kind: 'exact', value };
    if ('exact' in value) return { kind: 'exact', value: value.exact };
    if ('oneOf' in value) return { kind: 'oneOf', values: value.oneOf };
    if ('prefix' in value) return { kind: 'prefix', value: value.prefix };
    if ('regex' in value) return { kind: 'regex', value: value.regex };
    return { kind: 'present' in value ? 'present' : 'absent' };
  });
