/** What a client does, one deed at a time: the next one begins when nothing moves any more. Text is Latin-1, a character per byte. */
export type ClientStep = { readonly send: string } | 'fin' | 'rst' | 'stop reading' | 'read';

/** What an endpoint does with one request. */
export interface OriginReply {
  /** It begins when it has the head of the request, or all of it. */
  readonly when: 'head' | 'message';
  /** One at a time, as those of the client. */
  readonly packets: readonly string[];
  readonly after: 'keep' | 'fin' | 'rst';
}

/** One connection of a client and what becomes of its requests. `NONCE` in its bytes is another number in every run. */
export interface Case {
  readonly client: readonly ClientStep[];
  /** By order of arrival, over all connections; further requests get `ok`. */
  readonly origin: readonly OriginReply[];
  /** The client goes on while the endpoint has still something to send. */
  readonly eager?: boolean;
}

/** Stands for a number of six digits in the bytes of a case: a path that no earlier run has left in the cache. */
export const NONCE = '@nonce@';

/** Stands for more bytes in an endpoint's packet than a client that does not read lets pass. */
export const BULK = '@bulk@';
export const BULK_BYTES = 8 << 20;

export const OK: OriginReply = {
  when: 'message',
  packets: ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  after: 'keep',
};

export function reply(...packets: readonly string[]): OriginReply {
  return { when: 'message', packets, after: 'keep' };
}

/** As source text, to be put into the corpus. */
export function literal(value: unknown): string {
  return JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/[\x7f-\xff]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}

/** All bytes of the client, whatever their packets. */
export function sentBy({ client }: Case): string {
  return client.map((step) => (typeof step === 'string' ? '' : step.send)).join('');
}
