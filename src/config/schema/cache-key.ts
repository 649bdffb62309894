import { z } from 'zod';
import { cookieName, headerName, isMap, valueForms } from './units.ts';

const parameters = z
  .array(
    z
      .string()
      .regex(
        /^[^\s&=;#*]+\*?$/,
        'a parameter is a name, or the start of one and a "*"; no parameter at all is query: false',
      )
      .register(valueForms, { kind: 'word', noun: 'a parameter', form: 'page, or utm_* for all that begin so' }),
  )
  .min(1);

const query = z
  .union([
    z.literal(false),
    z
      .strictObject({
        sort: z.boolean().default(false).describe('The order of parameters of different names does not matter'),
        keep: parameters.optional().describe('Only these parameters; a “*” at the end stands for anything'),
        drop: parameters.optional().describe('All but these parameters; a “*” at the end stands for anything'),
      })
      .refine((given) => given.keep === undefined || given.drop === undefined, {
        message: 'keep leaves out every other parameter, so drop has nothing to say: write one of them',
        path: ['drop'],
        when: isMap,
      })
      .refine((given) => given.sort !== false || given.keep !== undefined || given.drop !== undefined, {
        message: 'say what to do with the query: sort, keep or drop; or write query: false to leave it out',
        when: isMap,
      }),
  ])
  .meta({ description: 'false to leave the query out, or { sort, keep, drop }' });

/** Fields that say nothing of the next request, that no endpoint sees as they came, or that are in the key already. */
const NOT_IN_KEY: Readonly<Record<string, string>> = {
  host: 'the host is in the key already',
  cookie: 'a key with every cookie is shared by nobody: name those that count under “cookies”',
  'accept-encoding': 'say under “encodings” which codings the endpoint is to be asked for',
  connection: 'it is for the next hop only',
  'transfer-encoding': 'it is for the next hop only',
  'content-length': 'requests with a body go past the cache',
  range: 'requests for ranges are no part of the key',
  forwarded: 'Headgate writes it anew, for each client another',
  via: 'Headgate writes it anew',
  'x-real-ip': 'the endpoint gets it from trusted proxies only',
  'x-request-id': 'it is another one in every request',
};

function whyNotInKey(name: string): string | undefined {
  const lower = name.toLowerCase();
  return lower.startsWith('x-forwarded-') ? 'Headgate writes it anew, for each client another' : NOT_IN_KEY[lower];
}

const headers = z
  .array(headerName)
  .min(1)
  .superRefine((names, context) => {
    for (const name of names) {
      const why = whyNotInKey(name);
      if (why === undefined) continue;
      const message = `${name} can’t be part of the key: ${why}`;
      context.issues.push({ code: 'custom', input: names, message });
    }
  });

/** What a stored response is found by, beside scheme, host and path. */
export const cacheKey = z
  .strictObject({
    query: query.optional().describe('What of the query counts; all of it as it was sent unless given'),
    headers: headers.optional().describe('Request fields that count'),
    cookies: z.array(cookieName).min(1).optional().describe('Cookies that count'),
    encodings: z
      .array(z.enum(['br', 'gzip', 'zstd', 'deflate']))
      .optional()
      .describe('Ask the endpoint for the first of these that the client accepts, and for no other; [] for none'),
  })
  .refine((given) => Object.keys(given).length > 0, {
    message: 'say what is different about the key: query, headers, cookies or encodings',
    when: isMap,
  });

export type CacheKeyConfig = z.output<typeof cacheKey>;
