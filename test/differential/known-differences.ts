import { isDeepStrictEqual } from 'node:util';
import type { Case } from './case.ts';
import type { Observation, Sight } from './observation.ts';
import type { Finding } from './run.ts';

/** Something that two variants are meant to do differently. */
export interface KnownDifference {
  readonly what: string;
  readonly why: string;
  readonly variant: 'lane' | 'lean';
  /** Is this all that the two runs show? */
  explains(reference: Observation, other: Observation): boolean;
  /** Cases that show it: it is taken off this list when they no longer do. */
  readonly examples: readonly Case[];
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    what: 'bytes beyond a last request that was answered at once',
    why:
      'Fastify’s server has closed its socket by the time it comes to them, and the next packet of the client is answered with a reset. ' +
      'The fast lane hands both over together, and what else the client sends is read and dropped for a while (RFC 9112 §9.6).',
    variant: 'lane',
    explains: (reference, other) =>
      reference.refusals['closed-connection'] !== undefined &&
      isDeepStrictEqual(
        { ...reference, client: withoutEnd(reference.client) },
        { ...other, client: withoutEnd(other.client) },
      ),
    examples: [
      {
        client: [
          { send: 'POST /reply HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nab' },
          { send: 'c' },
        ],
        origin: [],
      },
    ],
  },
  {
    what: 'a head that begins in the packet of the request before it, and never ends',
    why:
      'Node’s parser does not say that it has begun with a head, so for Fastify such a connection is idle. The fast lane ' +
      'knows what it has not used, and waits for the rest as long as for any head: 408 after `headTimeout`, not silence until `idleTimeout`.',
    variant: 'lane',
    explains: (reference, other) =>
      (other.refusals['head-timeout'] ?? 0) > (reference.refusals['head-timeout'] ?? 0) &&
      isDeepStrictEqual(reference.records, other.records) &&
      startsAs(
        other.client,
        withoutEnd(reference.client).filter(({ kind }) => kind === 'data'),
      ),
    examples: [
      { client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET ' }], origin: [] },
      { client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nExpect: x' }], origin: [] },
    ],
  },
  {
    what: 'a chunked body of a request that needs no endpoint, in one packet with what comes before or after',
    why:
      'Node’s parser lets the answer be finished between two chunks when it reads from the socket by itself, and not when it is handed bytes. ' +
      'So it depends on that how much of the body counts as received by the end of the exchange, and whether its end is known in time to keep ' +
      'the connection. What has been said of it up to that request is the same.',
    variant: 'lane',
    explains: (reference, other) => {
      const at = reference.records.findIndex(isLocalAndChunked);
      if (at === -1 || other.records.length <= at) return false;
      return isDeepStrictEqual(upTo(reference.records, at), upTo(other.records, at));
    },
    examples: [
      {
        client: [
          {
            send:
              'GET /reply HTTP/1.1\r\nHost: a\r\n\r\nPUT /reply HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
              '1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
          },
        ],
        origin: [],
      },
    ],
  },
  {
    what: 'a head that is broken in a line of which the end has not come',
    why:
      'The fast lane looks at whole lines. It hands the head over, and it is refused, when the line is whole or the head takes too long; ' +
      'Node’s parser finds some mistakes at their first byte.',
    variant: 'lane',
    explains: (reference, other) =>
      Object.keys(reference.refusals).length > 0 &&
      isDeepStrictEqual(
        { ...reference, client: withoutRounds(reference.client) },
        { ...other, client: withoutRounds(other.client) },
      ),
    examples: [{ client: [{ send: 'GET / HTTP/1.1\r\nContent-Length:x' }, { send: '\r\n' }], origin: [] }],
  },
];

interface LoggedRecord {
  readonly attempts: number;
  readonly bytesIn: number;
  readonly request: { readonly headers: readonly string[] };
}

function isLocalAndChunked(record: unknown): boolean {
  const { attempts, request } = record as LoggedRecord;
  return attempts === 0 && request.headers.some((text) => text.toLowerCase() === 'transfer-encoding');
}

/** Up to record number `at`, of which it does not matter how many bytes were received. */
function upTo(records: readonly unknown[], at: number): unknown[] {
  return records
    .slice(0, at + 1)
    .map((record, index) => (index === at ? { ...(record as LoggedRecord), bytesIn: 0 } : record));
}

function withoutRounds(sights: readonly Sight[]): Sight[] {
  return sights.map(({ kind, text }) => ({ round: 0, kind, text }));
}

function startsAs(sights: readonly Sight[], beginning: readonly Sight[]): boolean {
  return isDeepStrictEqual(sights.slice(0, beginning.length), beginning);
}

export function explained({ reference, other }: Finding): boolean {
  return KNOWN_DIFFERENCES.some((known) => known.explains(reference, other));
}

function withoutEnd(sights: readonly Sight[]): readonly Sight[] {
  return sights.filter(({ kind }) => kind !== 'reset' && kind !== 'closed');
}
