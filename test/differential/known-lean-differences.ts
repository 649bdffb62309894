import { isDeepStrictEqual } from 'node:util';
import { reply } from './case.ts';
import type { KnownDifference } from './known-differences.ts';
import type { Observation } from './observation.ts';
import { withUploads } from './upload-meaning.ts';

const GET = { send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' };

/** Where our own HTTP/1.1 towards endpoints is meant to differ from undici; docs/fast-lane.md has them as well. */
export const LEAN_DIFFERENCES: readonly KnownDifference[] = [
  {
    what: 'how the bytes of an upload are framed',
    why:
      'undici sends heads together with the first bytes of the body. Where these wait, we write the head in its place (early-head.ts), with the ' +
      'names and the order that we gave it; the lean transport writes one head, as undici writes it otherwise. And undici writes the line end ' +
      'behind a chunk with the next one, which may be a long time to wait for an endpoint that reads by lines. Fields, data and where it ends ' +
      'are the same, at the same time.',
    variant: 'lean',
    explains: (reference, other) => isDeepStrictEqual(inMeaning(reference), inMeaning(other)),
    examples: [
      { client: [{ send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n' }, { send: 'abc' }], origin: [] },
      { client: [{ send: 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n' }], origin: [] },
    ],
  },
  {
    what: 'a 100 that nobody asked for',
    why:
      'undici gives the connection up (502). RFC 9110 §15.2 has a client parse it and lets it ignore it, as endpoints do send it that answer ' +
      '`Expect` whether it was there or not. What has been said up to that request is the same.',
    variant: 'lean',
    explains: (reference, other) => {
      const at = reference.records.findIndex((record) => reasonOf(record) === 'unexpected-continue');
      return at !== -1 && isDeepStrictEqual(recordsBefore(reference, at), recordsBefore(other, at));
    },
    examples: [
      {
        client: [GET],
        origin: [reply('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')],
      },
    ],
  },
  {
    what: 'a status line that ends with two carriage returns',
    why: 'llhttp takes the second one for a line feed, and what follows for fields. A bare carriage return is no line end (RFC 9112 §2.2): 502.',
    variant: 'lean',
    explains: (reference, other, one) =>
      one.origin.some(({ packets }) => /HTTP\/\d\.\d \d{3}[^\r\n]*\r\r/.test(packets.join(''))) &&
      refusesFirst(reference, other),
    examples: [{ client: [GET], origin: [reply('HTTP/1.1 200 OK\r\rContent-Length: 2\r\n\r\nok')] }],
  },
  {
    what: 'a response of RTSP or ICE',
    why: 'llhttp reads those protocols too. Nobody has asked in them: 502, at the first letter.',
    variant: 'lean',
    explains: (reference, other, one) =>
      one.origin.some(({ packets }) => /^(?:R|I)/m.test(packets.join(''))) && refusesFirst(reference, other),
    examples: [{ client: [GET], origin: [reply('RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok')] }],
  },
  {
    what: 'a space behind a Content-Length',
    why:
      'undici has it as a part of the number, and closes the connection, with the body in between where that has not come at once. Space around a value is none of it (RFC 9110 §5.5), and what is left ' +
      'is a length.',
    variant: 'lean',
    explains: (reference, other, one) =>
      one.origin.some(({ packets }) => /content-length:[ \t]*\d+ +\r/i.test(packets.join(''))) &&
      (isDeepStrictEqual(wherever(reference), wherever(other)) ||
        reference.records.some((record) => reasonOf(record) === 'body-cut-short')),
    examples: [{ client: [GET], origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 2 \r\n\r\nok')] }],
  },
  {
    what: 'a tab behind `close`',
    why:
      'llhttp does not know the word then. Space around a value is none of it (RFC 9110 §5.5): the connection is closed, and an interim ' +
      'response that says so has no answer behind it.',
    variant: 'lean',
    explains: (reference, other, one) =>
      one.origin.some(({ packets }) => /connection:[^\r\n]*close *\t/i.test(packets.join(''))) &&
      (refusesFirst(reference, other) || isDeepStrictEqual(wherever(reference), wherever(other))),
    examples: [
      {
        client: [GET],
        origin: [reply('HTTP/1.1 103 E\r\nConnection: close\t\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')],
      },
    ],
  },
];

/** In the first of their records that differ, only `other` has refused the response. */
function refusesFirst(reference: Observation, other: Observation): boolean {
  const at = other.records.findIndex((record, index) => !isDeepStrictEqual(record, reference.records[index]));
  const refused = other.records.findIndex((record) => reasonOf(record) === 'malformed-response');
  return refused !== -1 && (at === -1 || at === refused);
}

/** Requests are what they mean, however their bodies are framed. */
function inMeaning(seen: Observation): Observation {
  return { ...seen, origin: seen.origin.map(withUploads) };
}

/** Requests on whatever connection they came, and when that was closed. */
function wherever(seen: Observation): unknown {
  const requests = inMeaning(seen)
    .origin.flatMap((sights) => sights.filter(({ kind }) => kind === 'data'))
    .sort((a, b) => a.round - b.round);
  const records = seen.records.map((record) => ({ ...(record as object), reusedConnection: null }));
  return { client: seen.client, requests, records, refusals: seen.refusals };
}

function reasonOf(record: unknown): string {
  return (record as { readonly end: { readonly reason: string } }).end.reason;
}

/** The records before number `at`. */
function recordsBefore({ records }: Observation, at: number): readonly unknown[] {
  return records.slice(0, at);
}
