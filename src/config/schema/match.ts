import { z } from 'zod';
import { type BodyMatchConfig, bodyMatch } from './body-match.ts';
import { absolutePath, cidr, headerName, isMap, method, oneOrMore, valueForms } from './units.ts';
import { type ValueTest, valueTest } from './value-test.ts';

export type PathMatch = { readonly kind: 'exact' | 'prefix' | 'pattern' | 'regex'; readonly value: string };

/**
 * `/a` is exactly that path, `/a/**` is `/a` and everything below it, `/a/{id}` captures a segment,
 * `/a/{rest...}` captures the remainder.
 */
const path = z
  .union([
    absolutePath,
    z.strictObject({ exact: absolutePath.describe('Exactly this path, also when it holds “{” or “*”') }),
    z.strictObject({ prefix: absolutePath.describe('This path and everything below it') }),
    z.strictObject({ regex: z.string().min(1).describe('RE2 syntax; not anchored unless it says so') }),
  ])
  .meta({ description: '/exact, /prefix/**, /with/{capture}, /with/{rest...}, or { regex: "^/v[0-9]+/" }' })
  .transform((value, context): PathMatch => {
    if (typeof value === 'string' && value.replace(/\/\*\*$/, '').includes('*')) {
      const message = `"${value}" has a "*" that means nothing: /** stands at the end, {name} takes one segment, { exact: … } takes it literally`;
      context.issues.push({ code: 'custom', input: value, message });
      return z.NEVER;
    }
    if (typeof value !== 'string') {
      if ('exact' in value) return { kind: 'exact', value: value.exact };
      if ('prefix' in value) return { kind: 'prefix', value: value.prefix };
      return { kind: 'regex', value: value.regex };
    }
    if (value.includes('{')) return { kind: 'pattern', value };
    if (value.endsWith('/**')) return { kind: 'prefix', value: value.slice(0, -3) || '/' };
    return { kind: 'exact', value };
  });

const host = z
  .string()
  .regex(
    /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$|^\[[0-9a-fA-F:.]+\]$/,
    'a host is a name, *.name, or an IP literal, without a port',
  )
  .register(valueForms, {
    kind: 'word',
    noun: 'a host',
    form: 'a name, *.name, or an IP literal, without scheme, port and path',
  })
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
  readonly clientCertificate?: Readonly<Record<string, ValueTest>> | undefined;
  readonly body?: BodyMatchConfig | undefined;
  readonly all?: readonly MatchConfig[] | undefined;
  readonly any?: readonly MatchConfig[] | undefined;
  readonly not?: MatchConfig | undefined;
}

/** Fingerprints are written with and without colons, in both cases. */
function plainHex(test: ValueTest | undefined): ValueTest | undefined {
  const plain = (text: string): string => text.replaceAll(':', '').toLowerCase();
  if (test?.kind === 'exact' || test?.kind === 'prefix') return { kind: test.kind, value: plain(test.value) };
  return test?.kind === 'oneOf' ? { kind: 'oneOf', values: test.values.map(plain) } : test;
}

function withoutUndefined(tests: Readonly<Record<string, ValueTest | undefined>>): Readonly<Record<string, ValueTest>> {
  const given: Record<string, ValueTest> = {};
  for (const [name, test] of Object.entries(tests)) if (test !== undefined) given[name] = test;
  return given;
}

const conditions = {
  host: oneOrMore(host).optional().describe('Host names: exact, or *.example.com'),
  path: path.optional(),
  method: oneOrMore(method).optional().describe('Methods, case-sensitive'),
  headers: z.record(headerName, valueTest).optional().describe('Tests of header fields by name'),
  cookies: z.record(z.string().min(1), valueTest).optional().describe('Tests of request cookies by name'),
  query: z.record(z.string(), valueTest).optional().describe('Tests of query parameters by name, percent-decoded'),
  client: oneOrMore(cidr).optional().describe('Client addresses or networks'),
  sni: oneOrMore(host).optional().describe('TLS server name the client asked for'),
  clientCertificate: z
    .strictObject({
      subject: valueTest.optional().describe('Test of the distinguished name (RFC 4514): CN=alice,OU=Dev,O=Acme'),
      san: valueTest.optional().describe('Test of the alternative names: DNS:a.test, URI:spiffe://a/b, email:…, IP:…'),
      fingerprint: valueTest.optional().transform(plainHex).describe('Test of the SHA-256 fingerprint, hexadecimal'),
    })
    // Without a word about it, it would be every client, and look like those that have a certificate.
    .refine((tests) => Object.values(tests).some((test) => test !== undefined), {
      message: 'say what must be true of it: for any certificate, fingerprint: { present: true }',
      when: isMap,
    })
    .transform(withoutUndefined)
    .optional()
    .describe('Tests of the verified client certificate'),
  body: bodyMatch
    .optional()
    .describe('What the body must say, found out by reading its beginning (docs/body-matching.md)'),
};

export const MATCH_KEYS: readonly string[] = [...Object.keys(conditions), 'all', 'any', 'not'];

export const match: z.ZodType<MatchConfig, unknown> = z
  .strictObject({
    ...conditions,
    all: z
      .array(z.lazy(() => match))
      .min(1)
      .optional()
      .describe('Matches that must all hold'),
    any: z
      .array(z.lazy(() => match))
      .min(1)
      .optional()
      .describe('Matches of which one must hold'),
    not: z
      .lazy(() => match)
      .optional()
      .describe('A match that must not hold'),
  })
  .meta({ id: 'Match', description: 'Conditions that must all hold' });
