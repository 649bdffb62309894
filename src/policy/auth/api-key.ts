import { getHeaders } from '../../http/headers.ts';
import { sliceTrimmed } from '../../http/octets.ts';
import type { PolicyRequest } from '../admit.ts';
import type { Identity } from '../identity.ts';
import { toOctets } from '../octets.ts';
import { type Taken, takeParameter } from '../query-parameter.ts';
import type { ApiKey, ApiKeyTable } from './api-key-table.ts';
import type { Authenticator, AuthResult } from './authenticator.ts';
import { credentialsIn, isScheme } from './basic-credentials.ts';
import { challenge, unauthorized } from './challenge.ts';

export interface ApiKeyOptions {
  readonly realm: string;
  /** As they are now. */
  readonly keys: () => ApiKeyTable;
  readonly header: string;
  /** Word before the key in the field; `null` for none. */
  readonly scheme: string | null;
  /** Name of the query parameter that may carry it; `null` for none. */
  readonly query: string | null;
  readonly forwardCredentials: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** Whoever writes more does not mean a key. */
const MAX_LENGTH = 512;

/** A key in a field or in the query; the query goes on without it, also to the cache. */
export function apiKeyAuthenticator(options: ApiKeyOptions): Authenticator {
  const { realm, header, keys, scheme, query, forwardCredentials, now } = options;
  const lower = header.toLowerCase();
  const parameter = query === null ? null : toOctets(query);
  const challenges = [scheme === null ? challenge('ApiKey', { realm, header }) : challenge(scheme, { realm })];
  const refuse = (reason: string): AuthResult => ({ kind: 'refused', error: unauthorized(reason, challenges) });
  const inFields = (request: PolicyRequest): readonly string[] => keysIn(request, lower, scheme);

  return {
    scheme: 'api-key',
    credentialFields: [lower],
    ...(forwardCredentials ? { forwardedFields: [lower] } : {}),
    presents: (request) => inFields(request).length > 0 || inQuery(request, parameter).values.length > 0,
    authenticate: (request) => {
      const taken = inQuery(request, parameter);
      const given = [...inFields(request), ...taken.values];
      const [key] = given;
      if (key === undefined) return refuse('credentials-missing');
      // Which of several is meant, two servers may see in two ways.
      if (given.length > 1 || key === '' || key.length > MAX_LENGTH) return refuse('credentials-malformed');
      const found = keys().find(key);
      if (found === null) return refuse('api-key-unknown');
      if (found.disabled) return refuse('api-key-disabled');
      if (found.expiresAt !== null && found.expiresAt <= now()) return refuse('api-key-expired');
      return { kind: 'known', identity: identityOf(found, forwardCredentials) };
    },
    hideCredentials: (request) => {
      request.query = inQuery(request, parameter).rest;
    },
  };
}

function identityOf({ name, claims }: ApiKey, seesCredentials: boolean): Identity {
  return { scheme: 'api-key', user: name, claims, fields: [], removes: null, cookie: null, seesCredentials };
}

function keysIn({ request }: PolicyRequest, lower: string, scheme: string | null): readonly string[] {
  const values = getHeaders(request.headers, lower);
  if (scheme === null) return values.map((value) => sliceTrimmed(value, 0, value.length));
  const word = scheme.toLowerCase();
  const ours = values.filter((value) => isScheme(value, word));
  // Another scheme beside it is not ours to judge, unless it is in the same request.
  return ours.length === 0 ? [] : values.map((value) => credentialsIn(value, word));
}

function inQuery({ query }: PolicyRequest, parameter: string | null): Taken {
  return parameter === null || query === null ? { values: [], rest: query } : takeParameter(query, parameter);
}
