import { z } from 'zod';
import { duration, isMap, oneOrMore, valueForms } from './units.ts';

/** `10.0.0.2`, `10.0.0.2:5353`, `[fd00::2]:53`; a name server is not found by name. Parsed to `address:port`. */
const nameServer = z
  .string()
  .register(valueForms, {
    kind: 'word',
    noun: 'the address of a name server',
    form: '10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53',
  })
  .meta({ examples: ['10.0.0.2', '127.0.0.11:53'] })
  .transform((text, context) => {
    const parsed = parseNameServer(text);
    if (parsed !== null) return parsed;
    context.issues.push({ code: 'custom', input: text, message: `"${text}" is not the address of a name server` });
    return z.NEVER;
  });

function parseNameServer(text: string): string | null {
  if (z.ipv6().safeParse(text).success) return `[${text}]:53`;
  const [, six, four, digits = '53'] = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const port = Number(digits);
  if (port < 1 || port > 65_535) return null;
  if (six !== undefined && z.ipv6().safeParse(six).success) return `[${six}]:${port}`;
  return four !== undefined && z.ipv4().safeParse(four).success ? `${four}:${port}` : null;
}

const FAMILIES = ['any', 4, 6] as const;
const WORDS = {
  family: 'Addresses to use: IPv4, IPv6, or those of both that this machine can reach',
  resolvers: 'Name servers to ask, and nothing else; the hosts file and the system’s unless given',
  min: 'An answer is used for so long whatever its TTL',
  max: 'And asked for again after so long',
  stale: 'Longest use of the last addresses while name servers give no answer; for ever unless given',
  gone: 'Longest use of the last addresses while the answer is that there are none',
} as const;

const isAscending = ({ min, max }: { readonly min?: number | undefined; readonly max?: number | undefined }) =>
  min === undefined || max === undefined || min <= max;
const ASCENDING = { message: '"min" is longer than "max"', when: isMap };

/** How names of endpoints are resolved, everywhere. */
export const dns = z
  .strictObject({
    family: z.literal(FAMILIES).default('any').describe(WORDS.family),
    resolvers: oneOrMore(nameServer).optional().describe(WORDS.resolvers),
    refresh: z
      .strictObject({
        min: duration.default(1_000).describe(WORDS.min),
        max: duration.default(30_000).describe(WORDS.max),
      })
      .refine(isAscending, ASCENDING)
      .prefault({})
      .describe('Bounds of how often a name is asked for; between them its TTL decides'),
    stale: duration.optional().describe(WORDS.stale),
    gone: duration.default(30_000).describe(WORDS.gone),
  })
  .prefault({})
  .meta({ description: 'How names of endpoints are resolved' });

/** The same for one pool: what it does not say is as everywhere. */
export const ownDns = {
  family: z.literal(FAMILIES).optional().describe(WORDS.family),
  resolvers: oneOrMore(nameServer).optional().describe(WORDS.resolvers),
  refresh: z
    .strictObject({
      min: duration.optional().describe(WORDS.min),
      max: duration.optional().describe(WORDS.max),
    })
    .refine(isAscending, ASCENDING)
    .optional()
    .describe('Bounds of how often it is asked for; between them the TTL decides'),
  stale: duration.optional().describe(WORDS.stale),
  gone: duration.optional().describe(WORDS.gone),
};

export type DnsConfig = z.output<typeof dns>;
