import { z } from 'zod';
import { headerName, isMap } from '../units.ts';
import { apiKeyAuth } from './auth-api-key.ts';
import { basicAuth } from './auth-basic.ts';
import { forwardAuth } from './auth-forward.ts';
import { jwtAuth } from './auth-jwt.ts';
import { oidcAuth } from './auth-oidc.ts';
import { authRequire } from './auth-require.ts';

/** The ways to authenticate, each in a file of its own beside this one, in the order in which they are tried. */
const ways = {
  basic: basicAuth.optional().describe('User and password (RFC 7617)'),
  apiKey: apiKeyAuth.optional().describe('A key in a header field or in the query'),
  oidc: oidcAuth.optional().describe('Login at an OpenID provider'),
  jwt: jwtAuth.optional().describe('A signed token (RFC 7519)'),
  forward: forwardAuth.optional().describe('A service that is asked about each request'),
};

const WAYS = Object.keys(ways) as readonly (keyof typeof ways)[];

export const auth = z
  .strictObject({
    satisfy: z
      .enum(['any', 'all'])
      .default('any')
      .describe('any: the way whose credentials the request brings decides; all: every way has to know it'),
    ...ways,
    require: authRequire.optional().describe('What has to be true of whoever it is: 403 otherwise'),
    headers: z
      .record(
        headerName,
        z.string().meta({ description: 'Text; {auth.user}, {claim.NAME} and other variables are inserted' }),
      )
      .default({})
      .describe('Tell endpoints who it is; what clients send under these names is removed on every route'),
  })
  .refine((value) => WAYS.some((way) => value[way] !== undefined), {
    message: `auth needs a way to authenticate: ${WAYS.join(', ')}`,
    when: isMap,
  })
  .meta({ description: 'Who may ask (docs/authentication.md)' });

export type AuthConfig = z.output<typeof auth>;
export type AuthWay = keyof typeof ways;
/** In the order in which they are tried. */
export const AUTH_WAYS = WAYS;
