import { z } from 'zod';
import { duration, headerName, method, oneOrMore } from '../units.ts';
import { origin } from './origin.ts';

/** `*`, alone or in a list, is any of them. */
function anyOr<T extends z.ZodType<string>>(item: T) {
  return z.union([item, z.array(item)]).transform((value): '*' | readonly string[] => {
    const list: readonly string[] = typeof value === 'string' ? [value] : value;
    return list.includes('*') ? '*' : list;
  });
}

/** Which other sites may read responses (Fetch, CORS protocol). */
export const cors = z.strictObject({
  origins: z
    .union([z.literal('*'), oneOrMore(origin)])
    .transform((value) => (value.length === 1 && value[0] === '*' ? '*' : value))
    .describe('Who may: https://shop.example, https://*.shop.example, { regex: … }, or "*" for everybody'),
  methods: anyOr(method)
    .prefault(['GET', 'HEAD', 'POST'])
    .describe('Methods besides GET, HEAD and POST, which need no permission; "*" for all'),
  headers: anyOr(headerName)
    .prefault([])
    .describe('Request fields that scripts may send; "*" for all (with credentials: what is asked for)'),
  exposedHeaders: anyOr(headerName).prefault([]).describe('Response fields that scripts may read; "*" for all'),
  credentials: z
    .boolean()
    .default(false)
    .describe('Cookies and client certificates may be sent; not with origins: "*"'),
  maxAge: duration.optional().describe('How long browsers remember what a preflight said; theirs is 5s'),
  privateNetwork: z
    .boolean()
    .default(false)
    .describe('Pages of the internet may reach this address of a private network'),
  enforce: z
    .boolean()
    .default(false)
    .describe('Refuse requests of other origins, in place of not letting them be read'),
});

export type CorsPolicyConfig = z.output<typeof cors>;
