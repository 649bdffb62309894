import type { GatewayError } from '../../errors.ts';
import type { LocalReply } from '../../exchange/local-reply.ts';
import type { PolicyRequest } from '../admit.ts';
import type { AuthScheme, Identity } from '../identity.ts';

/** What an authenticator says of a request. */
export type AuthResult =
  | { readonly kind: 'known'; readonly identity: Identity }
  /** 401 with `WWW-Authenticate` among its fields, 403, or 503 where nobody can tell. */
  | { readonly kind: 'refused'; readonly error: GatewayError }
  /** It answers itself: to the login and back. */
  | { readonly kind: 'reply'; readonly reply: LocalReply }
  /** It has to wait. As a `Consultation` does. */
  | {
      readonly kind: 'ask';
      readonly whom: string;
      begin(done: (result: AuthResult) => void): void;
      cancel(): void;
    };

/** One way to tell who asks. */
export interface Authenticator {
  readonly scheme: AuthScheme;
  /**
   * Names, lower case, of fields that carry its credentials, or by which the endpoint believes it: they go no further, whichever way decides, since
   * what another way has decided of nobody has looked at.
   */
  readonly credentialFields?: readonly string[];
  /** Of all such fields those that the endpoint is to see where this way has decided. */
  readonly forwardedFields?: readonly string[];
  /** Names of the fields that its identities bring: no client may send them, on any route. */
  readonly identityFields?: readonly string[];
  /** The request brings credentials of this kind, good or bad: where one of several ways is enough, it is tried by this one. */
  presents(request: PolicyRequest): boolean;
  /** Also for a request without credentials: then it is refused with a challenge, or sent to the login. */
  authenticate(request: PolicyRequest): AuthResult;
  /** Once it is known who asks: takes out of the request what `credentialFields` can't name. `decided`: by this way, or by others. */
  hideCredentials?(request: PolicyRequest, decided: boolean): void;
}
