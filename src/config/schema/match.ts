import { z } from 'zod';
import { cidr, headerName, oneOrMore } from './units.ts';

export type PathMatch = { readonly kind: 'exact' | 'prefix' | 'pattern' | 'regex'; readonly value: string };

/**
 * `/a` is exactly that path, `/a/**` is `/a` and everything below it, `/a/{id}` captures a segment,
 * `/a/{rest...}` captures the remainder.
 */
const path = z
  .union([
    z.string().startsWith('/', 'a path starts with "/"'),
    z.strictObject({ exact: z.string().startsWith('/') }),
    z.strictObject({ prefix: z.string().startsWith('/') }),
    z.strictObject({ regex: z.string().min(1) }),
  ])
  .meta({ description: '/exact, /prefix/**, /with/{capture}, /with/{rest...}, or { regex: "^/v[0-9]+/" }' })
  .transform((value): PathMatch => {
    if (typeof value !== 'string') {
      if ('exact' in value) return { kind: 'exact', value: value.exact };
      if ('prefix' in value) return { kind: 'prefix', value: value.prefix };
      return { kind: 'regex', value: value.regex };
    }
    if (value.includes('{')) return { kind: 'pattern', value };
    if (value.endsWith('/**')) return { kind: 'prefix', value: value.slice(0, -3) || '/' };
    return { kind: 'exact', value };
  });

export type ValueTest =
  | { readonly kind: 'exact' | 'prefix' | 'regex'; readonly value: string }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'present' | 'absent' };

const valueTest = z
  .union([
    z.string(),
    z.strictObject({ exact: z.string() }),
    z.strictObject({ oneOf: z.array(z.string()).min(1) }),
    z.strictObject({ prefix: z.string() }),
    z.strictObject({ regex: z.string() }),
    z.strictObject({ present: z.literal(true) }),
    z.strictObject({ absent: z.literal(true) }),
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

const host = z
  .string()
  .regex(
    /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$|^\[[0-9a-fA-F:.]+\]$/,
    'a host is a name, *.name, or an IP literal, without a port',
  )
  .transform((value) => value.toLowerCase());

/** Every condition given must hold. */
export interface MatchConfig {
  readonly host?: readonly string[] | undefined;
  readonly path?: PathMatch | undefined;
  readonly method?: readonly string[] | undefined;
  readonly headers?: Readonly<Record<string, ValueTest>> | undefined;
  readonly cookies?: Readonly<Record<string, ValueTest>> | undefined;
  readonly query?: Readonly<Record<string, ValueTest>> | undefined;
  readonly client?: readonly string[] | undefined;
  readonly sni?: readonly string[] | undefined;
  readonly all?: readonly MatchConfig[] | undefined;
  readonly any?: readonly MatchConfig[] | undefined;
  readonly not?: MatchConfig | undefined;
}

const conditions = {
  host: oneOrMore(host).optional().describe('Host names: exact, or *.example.com'),
  path: path.optional(),
  method: oneOrMore(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'not a method (RFC 9110 §9.1)')).optional(),
  headers: z.record(headerName, valueTest).optional(),
  cookies: z.record(z.string().min(1), valueTest).optional(),
  query: z.record(z.string(), valueTest).optional(),
  client: oneOrMore(cidr).optional().describe('Client addresses or networks'),
  sni: oneOrMore(host).optional().describe('TLS server name the client asked for'),
};

export const match: z.ZodType<MatchConfig, unknown> = z
  .strictObject({
    ...conditions,
    all: z
      .array(z.lazy(() => match))
      .min(1)
      .optional(),
    any: z
      .array(z.lazy(() => match))
      .min(1)
      .optional(),
    not: z.lazy(() => match).optional(),
  })
  .meta({ id: 'Match', description: 'Conditions that must all hold' });
