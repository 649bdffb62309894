import type { FastifyError, FastifyReply } from 'fastify';

/** What a request to the admin listener can't have, as its answer says: `{ error, message }`. */
export interface Refusal {
  readonly status: number;
  /** Enumerated kebab-case. */
  readonly error: string;
  /** For a person. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function send(reply: FastifyReply, { status, headers = {}, error, message }: Refusal): FastifyReply {
  return reply.code(status).headers(headers).send({ error, message });
}

/** A body that is no JSON object. */
class NotAnObject extends Error {
  override readonly name = 'NotAnObject';
  readonly statusCode = 400;
}

/**
 * The object that a JSON text is; an empty one for no text at all, so that a change without details needs no body. Throws what
 * `refusalOfError` makes a 400.
 */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Its message would show a piece of the body.
    throw new NotAnObject('The body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new NotAnObject('The body is no object');
  return value as Readonly<Record<string, unknown>>;
}

/** What an error of Fastify's or of a body means to who has asked; 500 for a bug. */
export function refusalOfError({ code, statusCode = 500, message }: Partial<FastifyError>): Refusal {
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { status: 413, error: 'body-too-large', message: 'The body is too long' };
  if (statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, error: 'bad-request', message: message ?? 'Bad request' };
  }
  return { status: 500, error: 'bug', message: 'The gateway met a bug: its log has more' };
}
