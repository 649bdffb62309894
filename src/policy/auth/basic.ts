import { GatewayError } from '../../errors.ts';
import type { PolicyRequest } from '../admit.ts';
import type { Identity } from '../identity.ts';
import { fromOctets } from '../octets.ts';
import type { Authenticator, AuthResult } from './authenticator.ts';
import { basicCredentials, bringsBasic } from './basic-credentials.ts';
import { challenge, unauthorized } from './challenge.ts';
import type { Passwords, PasswordVerdict } from './passwords.ts';
import type { UserTable } from './user-table.ts';

export interface BasicOptions {
  readonly realm: string;
  /** As it is now. */
  readonly users: () => UserTable;
  readonly passwords: Passwords;
  /** How long a verified password need not be verified again. */
  readonly rightForMs: number;
  /** The endpoint gets them too. */
  readonly forwardCredentials: boolean;
}

const CREDENTIAL_FIELDS = ['authorization'] as const;
const noClaims = Object.freeze({});

/** User and password (RFC 7617). Whether a user is known can't be told from the answer, nor from the time that it takes. */
export function basicAuthenticator(options: BasicOptions): Authenticator {
  const { realm, users, passwords, rightForMs, forwardCredentials } = options;
  const challenges = [challenge('Basic', { realm, charset: 'UTF-8' })];
  const refuse = (reason: string): AuthResult => ({ kind: 'refused', error: unauthorized(reason, challenges) });

  const judge = (user: string, isKnown: boolean, verdict: PasswordVerdict): AuthResult => {
    if (verdict === 'overloaded') return { kind: 'refused', error: unavailable('auth-overloaded') };
    if (verdict === 'failed') return { kind: 'refused', error: unavailable('auth-failed') };
    return isKnown && verdict === 'right'
      ? { kind: 'known', identity: identityOf(user, forwardCredentials) }
      : refuse('credentials-wrong');
  };

  return {
    scheme: 'basic',
    credentialFields: CREDENTIAL_FIELDS,
    ...(forwardCredentials ? { forwardedFields: CREDENTIAL_FIELDS } : {}),
    presents: ({ request }) => bringsBasic(request.headers),
    authenticate: ({ request }: PolicyRequest) => {
      const credentials = basicCredentials(request.headers);
      if (credentials.kind !== 'given')
        return refuse(`credentials-${credentials.kind === 'none' ? 'missing' : 'malformed'}`);
      const { user } = credentials;
      const table = users();
      const own = table.hashOf(user);
      const hash = own ?? table.decoyOf(user);
      if (hash === null) return refuse('credentials-wrong');
      const password = fromOctets(credentials.password);
      const known = passwords.recall(hash, password, rightForMs);
      if (known !== null) return judge(user, own !== null, known);
      let cancel: (() => void) | null = null;
      return {
        kind: 'ask',
        whom: 'the password check',
        begin: (done) => {
          cancel = passwords.verify(hash, password, (verdict) => done(judge(user, own !== null, verdict)));
        },
        cancel: () => cancel?.(),
      };
    },
  };
}

function identityOf(user: string, seesCredentials: boolean): Identity {
  return { scheme: 'basic', user, claims: noClaims, fields: [], removes: null, cookie: null, seesCredentials };
}

function unavailable(reason: string): GatewayError {
  return new GatewayError('proxy_internal_response', { blame: 'gateway', status: 503, reason });
}
