import { z } from 'zod';
import { cookieName, duration, headerName, isMap, oneOrMore, valueForms } from '../units.ts';

export const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;
/** With the octets that a secret has at least (RFC 7518 §3.2). */
const HMAC = { HS256: 32, HS384: 48, HS512: 64 } as const;

const FORM = 'https://HOST/PATH';

const url = z
  .string()
  .refine(isUrl, `not a URL: write ${FORM}`)
  .register(valueForms, { kind: 'word', noun: 'the URL of a key set', form: FORM });

function isUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '' && hash === '';
}

const jwksSettings = z.strictObject({
  url: url.describe('Where the issuer publishes its keys (jwks_uri)'),
  plainHttp: z
    .boolean()
    .default(false)
    .describe('Allow http:// also where it leaves this machine: whoever is on the way can make tokens'),
  ca: z.string().optional().describe('PEM file with the authorities to trust in place of the built-in ones'),
  timeout: duration.default(5_000).describe('For one fetch'),
  minTtl: duration.default(300_000).describe('Keys are fresh so long at least, whatever Cache-Control says'),
  maxTtl: duration.default(3_600_000).describe('And so long at most; they are fetched again before'),
  coolDown: duration.default(5_000).describe('An unknown key has them fetched at once, but not more often than this'),
  staleIfError: duration
    .default(86_400_000)
    .describe('How long the last good keys hold beyond their time while the issuer does not answer'),
});

const jwks = z
  .union([url, jwksSettings])
  .transform((value) => (typeof value === 'string' ? jwksSettings.parse({ url: value }) : value))
  .meta({ description: 'URL of the issuer’s key set, or a map with url and how it is fetched' });

const oneOfThese = (what: string) =>
  z
    .union([z.literal('any'), oneOrMore(z.string().min(1))])
    .transform((value): readonly string[] | 'any' => value)
    .describe(`${what}; any: not looked at`);

const place = z
  .union([
    z.literal('bearer'),
    z.strictObject({ header: headerName.describe('Field with the token, with “Bearer” before it or not') }),
    z.strictObject({ cookie: cookieName.describe('Cookie with the token') }),
    z.strictObject({
      query: z.string().min(1).describe('Query parameter with the token; logs and histories have it then'),
    }),
  ])
  .meta({ description: 'bearer (Authorization: Bearer, RFC 6750), { header }, { cookie } or { query }' });

const SOURCES = ['jwks', 'keysFile', 'keys', 'publicKeys', 'secret'] as const;

export const jwtAuth = z
  .strictObject({
    jwks: jwks.optional().describe('Keys that the issuer publishes'),
    keysFile: z.string().min(1).optional().describe('File with a JWK set or PEM public keys; watched'),
    keys: z
      .array(z.record(z.string(), z.unknown()))
      .min(1)
      .max(100)
      .optional()
      .describe('Public keys as JWK (RFC 7517)'),
    publicKeys: oneOrMore(z.string().min(1)).optional().describe('Public keys or certificates in PEM'),
    secret: z.string().optional().describe('Shared secret for HS256, 32 bytes at least; ${file:…} keeps it elsewhere'),
    issuer: oneOfThese('Issuers (iss) whose tokens are accepted'),
    audience: oneOfThese('Audiences (aud): one of these is in the token'),
    algorithms: oneOrMore(z.enum([...ASYMMETRIC, 'HS256', 'HS384', 'HS512']))
      .optional()
      .describe('Accepted ones; what the keys are for unless given'),
    type: oneOrMore(z.string().min(1)).optional().describe('Accepted typ of the token’s header: at+jwt (RFC 9068)'),
    clockSkew: duration
      .default(30_000)
      .describe('How far the clock of the issuer may be from ours, for exp, nbf and iat'),
    maxAge: duration.optional().describe('Longest time since the token was issued (iat), however long it would hold'),
    requiredClaims: z.array(z.string().min(1)).default(['exp']).describe('Claims that a token has to have'),
    user: z.string().min(1).default('sub').describe('Claim that is the name of the user'),
    from: oneOrMore(place).default(['bearer']).describe('Where the token is; the first place that has one decides'),
    forwardCredentials: z.boolean().default(true).describe('Send the token on to the endpoint'),
    realm: z
      .string()
      .regex(/^[\x20-\x7e]*$/)
      .refine((text) => !/["\\]/.test(text), 'a realm here has no quotes and backslashes')
      .optional()
      .describe('Named in the challenge'),
  })
  .refine((value) => SOURCES.filter((key) => value[key] !== undefined).length === 1, {
    message: `jwt needs its keys from one place: ${SOURCES.join(', ')}`,
    when: isMap,
  })
  .refine(
    ({ secret, algorithms = [] }) => algorithms.every((name) => name.startsWith('HS') === (secret !== undefined)),
    {
      message:
        'HS256, HS384 and HS512 are for a secret, and the only ones for it; no public key is ever taken for a secret',
      path: ['algorithms'],
    },
  )
  .refine(({ secret, algorithms = ['HS256'] }) => secret === undefined || isLongEnough(secret, algorithms), {
    message:
      'a secret has as many bytes as the hash at least: 32 for HS256, 48 for HS384, 64 for HS512 (RFC 7518 §3.2)',
    path: ['secret'],
  })
  .meta({ description: 'Signed tokens (docs/jwt.md)' });

function isLongEnough(secret: string, algorithms: readonly string[]): boolean {
  return algorithms.every((name) => Buffer.byteLength(secret) >= (HMAC[name as keyof typeof HMAC] ?? 0));
}

export type JwtConfig = z.output<typeof jwtAuth>;
export type JwksConfig = NonNullable<JwtConfig['jwks']>;
