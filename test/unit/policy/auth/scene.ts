import type { GatewayError } from '../../../../src/errors.ts';
import { noBody } from '../../../../src/exchange/body.ts';
import type { PolicyRequest, Verdict } from '../../../../src/policy/admit.ts';
import type { Authenticator, AuthResult } from '../../../../src/policy/auth/authenticator.ts';
import { unauthorized } from '../../../../src/policy/auth/challenge.ts';
import type { PasswordHasher } from '../../../../src/policy/auth/passwords.ts';
import type { Identity } from '../../../../src/policy/identity.ts';
import { variables } from '../exchange-facts.ts';

/** A request as policies see it: `GET /a/b` with these fields and this query. */
export function policyRequest(headers: readonly string[] = [], query: string | null = null): PolicyRequest {
  return {
    ...variables({ request: { headers: ['Host', 'shop.test', ...headers] }, query }),
    ...{ query, identity: null, startedAt: 0, startedAtEpoch: 0, hypothetical: false, requestBody: noBody },
    ...{ note: () => {}, addResponseField: () => {}, atEnd: () => {} },
  };
}

export function identity(over: Partial<Identity> = {}): Identity {
  return { scheme: 'basic', user: 'ann', claims: {}, fields: [], removes: null, cookie: null, ...over };
}

/** A way that is presented by the field `x-NAME`: `yes`, or anything else for a refusal with its challenge. */
export function way(
  name: string,
  over: Partial<Authenticator> & { readonly known?: Partial<Identity> } = {},
): Authenticator {
  const { known, ...rest } = over;
  const given = ({ request: { headers } }: PolicyRequest): string | null => {
    const at = headers.indexOf(`x-${name}`);
    return at < 0 ? null : (headers[at + 1] ?? null);
  };
  return {
    scheme: 'basic',
    presents: (request) => given(request) !== null,
    authenticate: (request): AuthResult =>
      given(request) === 'yes'
        ? { kind: 'known', identity: identity({ user: name, ...known }) }
        : { kind: 'refused', error: unauthorized(`${name}-wrong`, [`${name} realm="r"`]) },
    ...rest,
  };
}

/** The error of a refusal; anything else fails the test. */
export function refusalOf(verdict: Verdict | null): GatewayError {
  if (verdict?.kind !== 'refuse') throw new Error(`It is no refusal: ${verdict?.kind ?? 'it goes on'}`);
  return verdict.error;
}

/** Computes nothing: the test says what comes out. */
export class ScriptedHasher implements PasswordHasher {
  readonly checks: string[] = [];
  aborted = 0;
  answer: (matches: boolean | null) => void = () => {};

  check(hash: string, password: string, done: (matches: boolean | null) => void): void {
    this.checks.push(`${hash} ${password}`);
    this.answer = done;
  }

  abort(): void {
    this.aborted += 1;
  }
}
