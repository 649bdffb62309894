import { isDeepStrictEqual } from 'node:util';
import type { Case } from './case.ts';
import type { Observation } from './observation.ts';
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

export function explained({ reference, other }: Finding): boolean {
  return KNOWN_DIFFERENCES.some((known) => known.explains(reference, other));
}
