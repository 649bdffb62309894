import type { TlsOptions } from 'node:tls';
import type { Script } from './script.ts';

/**
 * What an endpoint does to a request. `unseen`: it can't have seen it. `unanswered`: it may have, and no response head comes.
 * `broken`: a head comes, and not all of the body. `answered`: a whole response comes, whatever it says.
 */
export type FaultKind = 'unseen' | 'unanswered' | 'broken' | 'answered';

/** One way in which an endpoint misbehaves, on every connection, and what a gateway has to say of it. */
export interface Fault {
  /** Completes "an endpoint that …". */
  readonly what: string;
  readonly kind: FaultKind;
  /** `null`: nobody listens. */
  readonly script: Script | null;
  /** Speaks TLS with this; `'expected'`: is spoken to in TLS and does not. */
  readonly tls?: TlsOptions | 'expected';
  /** Status that the client of this endpoint alone gets. */
  readonly status: number;
  /** In the log; `complete` when nothing is wrong. */
  readonly reason: string;
  /** It does nothing for so long that a timeout must end it. */
  readonly stalls?: true;
  /** What a route must list to have it retried at another endpoint; nothing to list for what was not seen. */
  readonly retriedOn?: 'reset' | 'timeout' | number;
  /** A reset may overtake what was sent before it, on its way through the endpoint's own kernel. */
  readonly overtakes?: true;
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

function answers(text: string): Script {
  return ['read head', { send: text }, 'silent'];
}

function malformed(what: string, script: Script, reason = 'malformed-response'): Fault {
  return { what, kind: 'unanswered', script, status: 502, reason };
}

function status(code: number, headers: readonly string[] = []): Fault {
  const script: Script = [{ respond: code, headers, body: 'mine' }];
  return { what: `answers ${code}`, kind: 'answered', script, status: code, reason: 'complete', retriedOn: code };
}

function broken(what: string, script: Script, reason: string): Fault {
  return { what, kind: 'broken', script, status: 200, reason };
}

const CLOSED = 'connection-closed-without-response';

/** In the order in which a request meets them. */
export const FAULTS: readonly Fault[] = [
  { what: 'refuses connections', kind: 'unseen', script: null, status: 502, reason: 'connection-refused' },
  {
    what: 'accepts connections and never speaks TLS',
    kind: 'unseen',
    script: ['silent'],
    tls: 'expected',
    status: 504,
    reason: 'tls-handshake-timeout',
    stalls: true,
  },
  {
    what: 'answers a TLS handshake in plain text',
    kind: 'unseen',
    script: ['read 1 bytes', { send: 'HTTP/1.1 400 Bad Request\r\n\r\n' }, 'silent'],
    tls: 'expected',
    status: 502,
    reason: 'tls-handshake-failed',
  },
  {
    what: 'resets in the TLS handshake',
    kind: 'unseen',
    script: ['read 1 bytes', 'reset'],
    tls: 'expected',
    status: 502,
    reason: 'tls-handshake-failed',
  },
  {
    what: 'closes after the head of the request',
    kind: 'unanswered',
    script: ['read head', 'end'],
    status: 502,
    reason: CLOSED,
    retriedOn: 'reset',
  },
  {
    what: 'resets after the head of the request',
    kind: 'unanswered',
    script: ['read head', 'reset'],
    status: 502,
    reason: CLOSED,
    retriedOn: 'reset',
  },
  {
    what: 'resets after one byte of the request',
    kind: 'unanswered',
    script: ['read 1 bytes', 'reset'],
    status: 502,
    reason: CLOSED,
    retriedOn: 'reset',
  },
  {
    what: 'reads the request and says nothing',
    kind: 'unanswered',
    script: ['read head', 'read body', 'silent'],
    status: 504,
    reason: 'head-timeout',
    retriedOn: 'timeout',
    stalls: true,
  },
  malformed(
    'closes in the middle of the head',
    ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Le' }, 'end'],
    'head-cut-short',
  ),
  {
    ...malformed(
      'resets in the middle of the head',
      ['read head', { send: 'HTTP/1.1 200 O' }, 'reset'],
      'head-cut-short',
    ),
    overtakes: true,
  },
  {
    what: 'falls silent in the middle of the head',
    kind: 'unanswered',
    script: answers('HTTP/1.1 200 OK\r\nContent-Le'),
    status: 504,
    reason: 'head-timeout',
    retriedOn: 'timeout',
    stalls: true,
  },
  malformed('answers in another protocol', answers('SSH-2.0-OpenSSH_9.9\r\n')),
  malformed('answers as HTTP/0.9 does', answers('<html>hello</html>\r\n')),
  malformed('answers with a preface of HTTP/2', answers('\0\0\x12\x04\0\0\0\0\0')),
  malformed('sends a status that is none', answers('HTTP/1.1 abc OK\r\n\r\n')),
  malformed('sends two lengths', answers('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok')),
  malformed('sends a negative length', answers('HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok')),
  malformed(
    'sends a length and chunks',
    answers(`${CHUNKED.slice(0, -2)}Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`),
  ),
  malformed(
    'names a coding that only looks like chunked',
    answers('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n2\r\nok\r\n0\r\n\r\n'),
    'transfer-coding',
  ),
  malformed('sends a name with a space', answers('HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 0\r\n\r\n')),
  malformed('sends a NUL in a value', answers('HTTP/1.1 200 OK\r\nX-Bad: a\0b\r\nContent-Length: 0\r\n\r\n')),
  malformed(
    'sends a head beyond every limit',
    answers(`HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(200_000)}\r\n\r\n`),
    'response-head-too-large',
  ),
  malformed(
    'sends interim responses without end',
    ['read head', { send: 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(64) }, 'silent'],
    'too-many-interim-responses',
  ),
  malformed(
    'switches protocols unasked',
    answers('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    'unasked-upgrade',
  ),
  broken(
    'closes in the middle of a body of known length',
    ['read head', { send: `${HEAD}abc` }, 'end'],
    'body-cut-short',
  ),
  {
    ...broken('resets in the middle of a body', ['read head', { send: `${HEAD}abc` }, 'reset'], 'body-cut-short'),
    overtakes: true,
  },
  broken('closes between chunks', ['read head', { send: `${CHUNKED}3\r\nabc\r\n` }, 'end'], 'body-cut-short'),
  broken('sends a chunk that is none', answers(`${CHUNKED}3\r\nabc\r\nzz\r\n`), 'malformed-response'),
  { ...broken('falls silent in the middle of a body', answers(`${HEAD}abc`), 'idle-timeout'), stalls: true },
  { ...broken('falls silent between chunks', answers(`${CHUNKED}3\r\nabc\r\n`), 'idle-timeout'), stalls: true },
  status(404),
  status(429, ['Retry-After', '1']),
  status(500),
  status(502),
  status(503, ['Retry-After', '1']),
  status(504),
  {
    what: 'sends more than the length it announced',
    kind: 'answered',
    script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more' }, 'silent'],
    status: 200,
    reason: 'complete',
  },
  {
    what: 'ends its body with the connection',
    kind: 'answered',
    script: ['read head', { send: 'HTTP/1.1 200 OK\r\n\r\nabc' }, 'end'],
    status: 200,
    reason: 'complete',
  },
];
