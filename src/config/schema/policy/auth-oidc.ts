import { z } from 'zod';
import { absolutePath, cookieDomain, cookieName, duration, isMap, oneOrMore, valueForms } from '../units.ts';

const ISSUER_FORM = 'an https:// URL without query and fragment';

const issuer = z
  .string()
  .refine(isPlainUrl, `not an issuer: write ${ISSUER_FORM}`)
  .register(valueForms, { kind: 'word', noun: 'an issuer', form: ISSUER_FORM });

const ORIGIN_FORM = 'https://HOST or https://HOST:PORT';

const origin = z
  .string()
  .refine((text) => isPlainUrl(text) && new URL(text).origin === text, `not an origin: write ${ORIGIN_FORM}`)
  .register(valueForms, { kind: 'word', noun: 'an origin', form: ORIGIN_FORM });

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** Whoever guesses it is anybody. */
const secret = z
  .string()
  .refine((text) => text.length >= 32, 'a session secret has at least 32 characters: openssl rand -base64 33');

const cookie = z.strictObject({
  name: cookieName.optional().describe('Derived from what is configured unless given; __Host- before it over TLS'),
  domain: cookieDomain.optional().describe('Share the session with the hosts below this domain'),
  path: absolutePath.default('/').describe('Path it is for'),
  sameSite: z.enum(['lax', 'none']).default('lax').describe('none: also within pages of other sites'),
});

const session = z.strictObject({
  idle: duration.default(3_600_000).describe('Since the last request'),
  absolute: duration.default(43_200_000).describe('Since the login'),
});

/** What Headgate says in a request for a login. */
const RESERVED: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'redirect_uri',
  'response_mode',
  'response_type',
  'scope',
  'state',
]);

/** Login at an OpenID provider. */
export const oidcAuth = z
  .strictObject({
    issuer: issuer.describe('URL of the provider; what it can do is read from /.well-known/openid-configuration there'),
    clientId: z.string().min(1).describe('What the provider calls this gateway'),
    clientSecret: z.string().min(1).optional().describe('As the provider gave it; none for a public client'),
    clientAuthentication: z
      .enum(['auto', 'basic', 'post'])
      .default('auto')
      .describe('How the secret is sent: in a header field, in the body, or whichever of them the provider takes'),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope is one word'))
      .default(['openid', 'profile', 'email'])
      .describe('What the login asks for; openid is added'),
    parameters: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe('Further parameters of the login: prompt, audience, acr_values, …'),
    userinfo: z.boolean().default(false).describe('Ask the provider’s userinfo for claims that the ID token has not'),
    claims: z
      .array(z.string().min(1))
      .max(32)
      .default(['sub', 'name', 'email', 'email_verified', 'preferred_username', 'groups', 'roles'])
      .describe('Claims that are kept, by name or path: realm_access.roles'),
    userClaim: z.string().min(1).default('sub').describe('Claim that is the name of the user, {auth.user}'),
    redirectPath: absolutePath
      .optional()
      .describe('Where the provider sends browsers back to; PREFIX/.headgate/oidc/callback below the route’s prefix'),
    logoutPath: absolutePath
      .optional()
      .describe('Ends the session here and at the provider; PREFIX/.headgate/oidc/logout unless given'),
    afterLogout: absolutePath.optional().describe('Where the provider sends browsers after a logout; its own page'),
    origin: origin.optional().describe('Scheme and host as browsers know them; those of the request unless given'),
    forwardToken: z
      .enum(['none', 'access', 'id'])
      .default('none')
      .describe('Token for the endpoint, as Authorization: Bearer'),
    session: session.prefault({}).describe('How long a login lasts'),
    sessionSecret: oneOrMore(secret)
      .optional()
      .describe('Seals sessions: the first seals, all open; drawn at the start unless given'),
    cookie: cookie.prefault({}).describe('The session’s cookie'),
    ca: z.string().optional().describe('PEM file with the roots to trust in place of the built-in ones'),
    insecure: z.boolean().default(false).describe('Ask an issuer on another machine without TLS'),
    timeout: duration.default(5_000).describe('For one request to the provider'),
  })
  .superRefine(
    ({ parameters }, context) => {
      for (const key of Object.keys(parameters ?? {}).filter((name) => RESERVED.has(name))) {
        const message = `${key} is not for choosing`;
        context.issues.push({ code: 'custom', input: parameters, message, path: ['parameters', key] });
      }
    },
    { when: isMap },
  );

export type OidcConfig = z.output<typeof oidcAuth>;
