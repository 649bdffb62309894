import { z } from 'zod';

/** Checked for syntax where it is compiled. */
export const origin = z.union([
  z.string().meta({ description: 'https://shop.example, https://*.shop.example, http://localhost:*' }),
  z.strictObject({ regex: z.string().describe('RE2 syntax; it has to match the whole origin') }),
]);
