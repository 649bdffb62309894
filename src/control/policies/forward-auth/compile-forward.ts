import { createHash } from 'node:crypto';
import type { ForwardAuthConfig } from '../../../config/schema/policy/auth-forward.ts';
import type { Authenticator } from '../../../policy/auth/authenticator.ts';
import { forwardAuthenticator } from '../../../policy/auth/forward.ts';
import { ForwardAnswers } from '../../../policy/auth/forward-answers.ts';
import { QUESTION_FIELDS, questions } from '../../../policy/auth/forward-question.ts';
import { isClientField } from '../../../policy/auth/identity-fields.ts';
import { fieldRefusal } from '../../../policy/field.ts';
import { readAuthorities } from '../authorities.ts';
import { sessionCookieNames } from '../oidc-names.ts';
import { placeOf } from '../place-of-url.ts';
import type { PolicyContext } from '../policy-kind.ts';
import { AuthAsker } from './auth-asker.ts';

/** Every client sends them, whether or not it has credentials. */
const NO_CREDENTIALS = /^(?:accept(?:-.*)?|user-agent|referer|origin|host|x-requested-with|sec-.*)$/i;

/** Of any answer, so that its connection can be used again. */
const READ_BYTES = 65_536;

/** `null` after a complaint. */
export function compileForward(config: ForwardAuthConfig, context: PolicyContext): Authenticator | null {
  const ca = config.ca === undefined ? null : readAuthorities(config.ca, ['ca'], context);
  if (ca === undefined || !hasSoundFields(config, context)) return null;
  const { world, owner } = context;
  const { requestHeaders, originalUrl, responseHeaders, cache } = config;
  const id = `${owner} ${createHash('sha256')
    .update(JSON.stringify({ ...config, ca }))
    .digest('base64url')}`;
  const service = context.state(
    `auth service ${id}`,
    () => new AuthAsker(`auth service ${id}`, serviceOf(config, ca), { world, owner }),
  );
  const answers =
    cache === 0
      ? null
      : context.state(
          `auth answers ${id}`,
          () => new ForwardAnswers(`auth answers ${id}`, () => world.clock.monotonic()),
        );
  const sessionCookies = sessionCookieNames(context.config);
  const isReplaced = (name: string): boolean => isClientField(name.toLowerCase());
  return forwardAuthenticator(
    {
      name: placeOf(config.url),
      failure: config.failure,
      credentials: requestHeaders.filter((name) => !NO_CREDENTIALS.test(name)).map((name) => name.toLowerCase()),
      identityFields: responseHeaders.filter((name) => !isReplaced(name)),
      replaces: responseHeaders.filter(isReplaced).map((name) => name.toLowerCase()),
    },
    { question: questions({ requestHeaders, originalUrl, sessionCookies }), service: service.ask, answers },
  );
}

function serviceOf(config: ForwardAuthConfig, ca: string | null) {
  const { responseHeaders, userHeader, setCookies, refusalHeaders } = config;
  return {
    url: config.url,
    ca,
    timeoutMs: config.timeout,
    connections: config.connections,
    limitBytes: Math.max(config.refusalBody, READ_BYTES),
    answer: {
      responseHeaders,
      userHeader: userHeader === undefined ? null : userHeader.toLowerCase(),
      setCookies,
      refusalHeaders: new Set(refusalHeaders.map((name) => name.toLowerCase())),
      refusalBodyBytes: config.refusalBody,
    },
    keep: { longestMs: config.cache, refusals: config.cacheRefusals },
  };
}

/** Complains of fields that are not for others to see, or to write. */
function hasSoundFields(config: ForwardAuthConfig, context: PolicyContext): boolean {
  const ours = new Set(QUESTION_FIELDS.map((name) => name.toLowerCase()));
  const identity = new Set(
    config.responseHeaders.map((name) => name.toLowerCase()).filter((name) => !isClientField(name)),
  );
  const wrong = [
    ...config.requestHeaders.flatMap((name, index) => {
      const lower = name.toLowerCase();
      const message =
        ours.has(lower) || lower === 'host'
          ? `${name} is told by Headgate itself`
          : identity.has(lower)
            ? `${name} is what the service says; a client’s own is not shown to it`
            : fieldRefusal(name, 'request');
      return message === null ? [] : [{ path: ['requestHeaders', index], message }];
    }),
    ...config.responseHeaders.flatMap((name, index) => {
      const message = fieldRefusal(name, 'request');
      return message === null ? [] : [{ path: ['responseHeaders', index], message }];
    }),
    ...config.refusalHeaders.flatMap((name, index) => {
      const message = fieldRefusal(name, 'response');
      return message === null ? [] : [{ path: ['refusalHeaders', index], message }];
    }),
  ];
  for (const { path, message } of wrong) context.complain(path, { message });
  return wrong.length === 0;
}
