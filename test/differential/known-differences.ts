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
    what: 'the head of an upload whose body has not come',
    why:
      'undici sends heads together with the first bytes of the body. Where these wait, we write the head in its place (early-head.ts), with the ' +
      'names and the order that we gave it; the lean transport writes one head, as undici writes it otherwise.',
    variant: 'lean',
    explains: (reference, other) =>
      isDeepStrictEqual(
        { ...reference, origin: reference.origin.map((sights) => sights.map(inOrder)) },
        { ...other, origin: other.origin.map((sights) => sights.map(inOrder)) },
      ),
    examples: [
      { client: [{ send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n' }, { send: 'abc' }], origin: [] },
    ],
  },
  {
    what: 'a whole body that nobody asked for, behind another request in the same packet',
    why:
      'It was there before its request, which needed no endpoint, was answered. Fastify’s log counts the bytes as received when they are ' +
      'dropped before the exchange has ended, the fast lane’s does not.',
    variant: 'lane',
    explains: (reference, other) =>
      isDeepStrictEqual(
        { ...reference, records: reference.records.map(withoutDropped) },
        { ...other, records: other.records.map(withoutDropped) },
      ),
    examples: [
      {
        client: [
          {
            send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nDELETE /reply HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
          },
        ],
        origin: [],
      },
    ],
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

/** Lines of heads in the order of the alphabet, framing and connection in lower case: what means the same is the same. */
function inOrder({ round, kind, text }: Sight): Sight {
  const heads = text.replace(/[A-Z]+ \S+ HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)+/g, (head) => {
    const [line = '', ...fields] = head.split('\r\n');
    const lower = fields.map((field) =>
      field.replace(/^(?:host|connection|content-length|transfer-encoding):/i, (name) => name.toLowerCase()),
    );
    return [line, ...lower.sort()].join('\r\n');
  });
  return { round, kind, text: heads };
}

/** Of a request that no endpoint has got, it does not matter how many bytes came. */
function withoutDropped(record: unknown): unknown {
  const logged = record as LoggedRecord;
  return logged.attempts === 0 ? { ...logged, bytesIn: 0 } : logged;
}

export function explained({ reference, other }: Finding): boolean {
  return KNOWN_DIFFERENCES.some((known) => known.explains(reference, other));
}
