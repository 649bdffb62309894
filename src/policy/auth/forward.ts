import { hash } from 'node:crypto';
import { GatewayError } from '../../errors.ts';
import { getHeaders, hasHeader } from '../../http/headers.ts';
import type { PolicyRequest } from '../admit.ts';
import type { Identity } from '../identity.ts';
import type { Authenticator, AuthResult } from './authenticator.ts';
import { anonymous, type Judged } from './forward-answer.ts';
import type { AskService, ForwardAnswers } from './forward-answers.ts';
import { type AskQuestion, questionDigest } from './forward-question.ts';

export interface ForwardOptions {
  /** Who is asked, for people. */
  readonly name: string;
  /** What happens where it can't be asked. */
  readonly failure: 'closed' | 'open';
  /** Lower-case names of fields that credentials are in. */
  readonly credentials: readonly string[];
  /** Names of the fields by which it tells who it is, and no client may. */
  readonly identityFields: readonly string[];
  /** Lower-case names of those by which clients may on other routes: here they are replaced by what it says. */
  readonly replaces: readonly string[];
}

export interface ForwardParts {
  readonly question: AskQuestion;
  readonly service: AskService;
  /** `null`: nothing is kept, and everybody asks for himself. */
  readonly answers: ForwardAnswers | null;
}

/** A service is asked about each request: by its head, never its body. */
export function forwardAuthenticator(options: ForwardOptions, parts: ForwardParts): Authenticator {
  const { name, credentials, identityFields } = options;
  const { question: questionOf, service, answers } = parts;
  return {
    scheme: 'forward',
    credentialFields: options.replaces,
    identityFields,
    presents: ({ request }) => credentials.some((lower) => hasHeader(request.headers, lower)),
    authenticate(request) {
      const question = questionOf(request);
      const digest = answers === null ? '' : questionDigest(question);
      const known = answers === null ? null : answers.get(digest);
      if (known !== null) return resultOf(known, request, options);
      let giveUp: (() => void) | null = null;
      return {
        kind: 'ask',
        whom: `auth service ${name}`,
        begin(done) {
          const heard = (judged: Judged): void => done(resultOf(judged, request, options));
          giveUp = answers === null ? service(question, heard) : answers.ask({ digest, question, service }, heard);
        },
        cancel: () => giveUp?.(),
      };
    },
  };
}

function resultOf(judged: Judged, request: PolicyRequest, options: ForwardOptions): AuthResult {
  const { failure, replaces } = options;
  const removes = replaces.length === 0 ? null : replaces;
  if (judged.kind === 'allow') {
    for (const cookie of judged.setCookies) request.addResponseField('Set-Cookie', cookie);
    return { kind: 'known', identity: ofRequest({ ...judged.identity, removes }, request, options) };
  }
  if (judged.kind === 'deny') {
    const { reply } = judged;
    if (reply.body !== null && reply.body.byteLength > 0) return { kind: 'reply', reply };
    return isRedirect(reply.status) ? { kind: 'reply', reply } : { kind: 'refused', error: refusal(reply) };
  }
  // What is neither yes nor no, a 404 say, is a mistake of somebody's: it opens nothing.
  if (judged.kind === 'strange') return { kind: 'refused', error: unavailable('auth-service-strange') };
  if (failure === 'closed') return { kind: 'refused', error: unavailable('auth-service-unavailable') };
  request.note('auth-service-unavailable');
  return { kind: 'known', identity: ofRequest({ ...anonymous, removes }, request, options) };
}

/** Nobody but the endpoint knows who it is where the service has given no name. */
function ofRequest(identity: Identity, { request }: PolicyRequest, { credentials }: ForwardOptions): Identity {
  if (identity.user !== '') return identity;
  const brought = credentials.map((lower) => getHeaders(request.headers, lower));
  return { ...identity, apart: hash('sha256', JSON.stringify(brought), 'base64') };
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** Without a body of its own it gets the page that the configuration has for such errors. */
function refusal({ status, headers }: { readonly status: number; readonly headers: readonly string[] }): GatewayError {
  const fields = headers.filter((_, i) => !FRAMING.has(headers[i - (i % 2)]?.toLowerCase() ?? ''));
  const reason = 'auth-service-refused';
  return new GatewayError('http_request_denied', { blame: 'client', status, reason, fields });
}

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'cache-control']);

function unavailable(reason: 'auth-service-unavailable' | 'auth-service-strange'): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 503, reason });
}
