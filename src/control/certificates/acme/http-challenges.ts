import type { LocalReply } from '../../../exchange/local-reply.ts';

const PREFIX = '/.well-known/acme-challenge/';

/**
 * Answers to http-01 challenges (RFC 8555 §8.3), for every plain HTTP listener. Only for tokens that are pending; there are as many
 * as names in the orders that are under way.
 */
export class HttpChallenges {
  /** Called with the canonical path of each request while anything is pending, else `null`. */
  answer: ((path: string) => LocalReply | null) | null = null;
  readonly #pending = new Map<string, LocalReply>();

  /** Answers `token` with `keyAuthorization` until what comes back is called. */
  put(token: string, keyAuthorization: string): () => void {
    const reply = replyOf(keyAuthorization);
    this.#pending.set(token, reply);
    this.answer = this.#answer;
    return () => {
      if (this.#pending.get(token) === reply) this.#pending.delete(token);
      if (this.#pending.size === 0) this.answer = null;
    };
  }

  readonly #answer = (path: string): LocalReply | null =>
    path.startsWith(PREFIX) ? (this.#pending.get(path.slice(PREFIX.length)) ?? null) : null;
}

function replyOf(keyAuthorization: string): LocalReply {
  const body = Buffer.from(keyAuthorization);
  return {
    status: 200,
    headers: ['Content-Type', 'application/octet-stream', 'Content-Length', String(body.byteLength)],
    body,
    reason: 'acme-challenge',
    error: null,
  };
}
