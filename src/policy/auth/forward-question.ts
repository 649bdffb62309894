import { createHash } from 'node:crypto';
import { removeCookies } from '../../http/cookie.ts';
import type { HeaderDraft, HeaderList } from '../../http/headers.ts';
import { requestEndToEnd } from '../../http/hop-by-hop.ts';
import { uriOf, type Variables } from '../variables.ts';

export interface QuestionOptions {
  /** Fields of the request that the service is told. */
  readonly requestHeaders: readonly string[];
  /** `X-Original-URL` and `X-Original-Method` besides, as nginx users have it. */
  readonly originalUrl: boolean;
  /** Names of the cookies that hold sessions of logins here, which are for us alone; `null` for none. */
  readonly sessionCookies: readonly string[] | null;
}

/** Makes what the service is sent for a request. Never the body, never fields of the connection. */
export type AskQuestion = (request: Variables) => HeaderList;

/** What the service is told about the request itself is ours alone: nothing that the client says under these names goes there. */
export const QUESTION_FIELDS = [
  'X-Forwarded-Method',
  'X-Forwarded-Proto',
  'X-Forwarded-Host',
  'X-Forwarded-Uri',
  'X-Forwarded-For',
  'X-Original-URL',
  'X-Original-Method',
] as const;

export function questions({ requestHeaders, originalUrl, sessionCookies }: QuestionOptions): AskQuestion {
  const told = new Set(requestHeaders.map((name) => name.toLowerCase()));
  return (variables) => {
    const { request, client } = variables;
    const uri = uriOf(variables);
    const question: HeaderDraft = [
      ...['X-Forwarded-Method', request.method],
      ...['X-Forwarded-Proto', request.scheme],
      ...['X-Forwarded-Host', request.authority],
      // As it was decided upon, so that nobody can show the service another path than the endpoint.
      ...['X-Forwarded-Uri', uri],
      ...['X-Forwarded-For', client.address],
    ];
    if (originalUrl) {
      question.push(
        'X-Original-URL',
        `${request.scheme}://${request.authority}${uri}`,
        'X-Original-Method',
        request.method,
      );
    }
    // What a client takes away by `Connection` the endpoint does not see either.
    const endToEnd = requestEndToEnd(request.headers);
    if (sessionCookies !== null) removeCookies(endToEnd, sessionCookies);
    for (let i = 0; i < endToEnd.length; i += 2) {
      const name = endToEnd[i] as string;
      if (told.has(name.toLowerCase())) question.push(name, endToEnd[i + 1] as string);
    }
    return question;
  };
}

/** The same for the same question, and for no other. Credentials are not kept in it. */
export function questionDigest(question: HeaderList): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('base64');
}
