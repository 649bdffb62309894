import { BULK, BULK_BYTES, type Case, NONCE, OK, reply } from './case.ts';

const GET = { send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' };
const HEAD = { send: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' };

/** Cases that once showed a difference, or are hard by their nature. Each is run through every variant by every `npm test`. */
export const CORPUS: Readonly<Record<string, Case>> = {
  'a request, an empty line before the next': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n' }],
    origin: [],
  },
  'five requests at once, the third of them for HTTP/1.0': {
    client: [
      {
        send:
          'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc' +
          'GET /3 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n' +
          'GET /4 HTTP/1.1\r\nHost: a\r\n\r\nGET /5 HTTP/1.1\r\nHost: a\r\n\r\n',
      },
      'fin',
    ],
    origin: [],
  },
  'a canonical request, then one with chunks and trailers, then a canonical one': {
    client: [
      {
        send: 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab',
      },
      { send: 'c\r\n0\r\nX-T: 1\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n' },
    ],
    origin: [],
  },
  'a head that never ends': { client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\nX-' }], origin: [] },
  'a body that never ends, answered before': {
    client: [{ send: 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc' }],
    origin: [{ ...OK, when: 'head' }],
  },
  'a half-closed connection that waits for its answer': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }, 'fin'],
    origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'ab', 'cd')],
  },
  'a client that leaves in the middle of its answer': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }, 'rst'],
    origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'ab', 'cd')],
    eager: true,
  },
  'a miss, a hit, a conditional hit and a HEAD of what is stored': {
    client: [
      { send: `GET /cached/${NONCE} HTTP/1.1\r\nHost: a\r\n\r\n` },
      {
        send: `GET /cached/${NONCE} HTTP/1.1\r\nHost: a\r\n\r\nGET /cached/${NONCE} HTTP/1.1\r\nHost: a\r\nIf-None-Match: "x"\r\n\r\n`,
      },
      {
        send: `HEAD /cached/${NONCE} HTTP/1.1\r\nHost: a\r\n\r\nGET /cached/${NONCE} HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\nConnection: close\r\n\r\n`,
      },
    ],
    origin: [reply('HTTP/1.1 200 OK\r\nETag: "x"\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nabcd')],
  },
  'an answer that outgrows its length': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }, { send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }],
    origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno')],
  },
  'an answer that ends with its connection': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n' }],
    origin: [{ when: 'message', packets: ['HTTP/1.1 200 OK\r\n\r\nab', 'cd'], after: 'fin' }],
  },
  'line ends behind answers, between them and on an idle connection': {
    client: [GET, GET, GET],
    origin: [
      reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n', '\r\n'),
      reply('\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n\n'),
    ],
  },
  'a length and an empty transfer coding, and the other way round': {
    client: [GET, GET],
    origin: [
      reply('HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n\r\nok'),
      reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding:\r\n\r\nok'),
    ],
  },
  'a status of no class, whose head ends later': {
    client: [GET],
    origin: [reply('HTTP/1.1 099 X\r\n', '\r\n')],
  },
  'a 204 with a length, through the cache': {
    client: [{ send: `GET /cached/${NONCE} HTTP/1.1\r\nHost: a\r\n\r\n` }],
    origin: [reply('HTTP/1.1 204 No Content\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\n')],
  },
  'a length that is none, whose line never ends': {
    client: [GET],
    origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 2,')],
  },
  'a transfer coding behind a length, whose line never ends': {
    client: [GET],
    origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding:')],
  },
  'an interim response that says close, and nothing behind it': {
    client: [GET],
    origin: [reply('HTTP/1.1 103 Early\r\nConnection: close\r\n\r\n')],
  },
  'an interim response that says close, and the answer': {
    client: [GET],
    origin: [
      reply('HTTP/1.1 103 Early\r\nConnection: close\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    ],
  },
  'a length beyond 2⁵³, without and with a body': {
    client: [GET, GET],
    origin: [
      reply('HTTP/1.1 304 Not Modified\r\nContent-Length: 9007199254740993\r\n\r\n'),
      reply('HTTP/1.1 200 OK\r\nContent-Length: 9007199254740993\r\n\r\nab'),
    ],
  },
  'a chunk beyond 2⁵³': {
    client: [GET],
    origin: [reply('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffff\r\nab')],
  },
  'answers to HEAD that announce bodies, and how their connections go on': {
    client: [HEAD, HEAD, HEAD, GET],
    origin: [
      reply('HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n'),
      reply('HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'),
      reply('HTTP/1.1 304 Not Modified\r\nTransfer-Encoding:\r\n\r\n'),
    ],
  },
  'what a connection that is not used again has said of idle ones': {
    client: [GET, GET, GET],
    origin: [reply('HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=0\r\n\r\n')],
  },
  'an answer that ends its connection by an obsolete name': {
    client: [GET, GET],
    origin: [reply('HTTP/1.1 200 OK\r\nProxy-Connection: close\r\nContent-Length: 2\r\n\r\nok')],
  },
  'an answer with chunks and trailers, cut off within them': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' }],
    origin: [
      {
        when: 'message',
        packets: ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-T'],
        after: 'fin',
      },
    ],
  },
  'a last request that is answered before its body has come': {
    client: [
      { send: 'POST /reply HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\na' },
      { send: 'b' },
      { send: 'c' },
    ],
    origin: [],
  },
  'bytes behind the body of a last request that was answered at once, and more of them': {
    client: [
      { send: 'POST /reply HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nab' },
      { send: 'c' },
      { send: 'd' },
    ],
    origin: [],
  },
  'the same of a method that is not served': {
    client: [
      { send: 'TRACE / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\nContent-Length: 1\r\n\r\nHo' },
      { send: 't' },
      { send: 'If-None-Match: "x"\r\n\r\n' },
    ],
    origin: [],
  },
  'half an empty line behind the body of a request that was answered at once': {
    client: [{ send: 'OPTIONS /reply HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\r\n' }],
    origin: [],
  },
  'half a method behind the body of a request that was answered at once': {
    client: [{ send: 'PUT /reply HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcdePOST' }],
    origin: [],
  },
  'half a head that is not canonical behind a request, and never the rest of it': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nExpect: x' }],
    origin: [],
  },
  'a body in chunks for an answer at once, in one packet with the request before it': {
    client: [
      {
        send:
          'GET /reply HTTP/1.1\r\nHost: a\r\n\r\nPUT /reply HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
          '1\r\na\r\n1\r\nb\r\n0\r\n\r\n',
      },
    ],
    origin: [],
  },
  'a whole body that nobody asks for, in one packet with the request before it': {
    client: [
      {
        send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nDELETE /reply HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
      },
    ],
    origin: [],
  },
  'a client that reads nothing of a long answer until it has sent more': {
    client: [
      'stop reading',
      { send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
      { send: 'GET /reply HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n' },
      'read',
    ],
    origin: [reply(`HTTP/1.1 200 OK\r\nContent-Length: ${BULK_BYTES}\r\n\r\n${BULK}`)],
  },
  'CONNECT behind a request in progress': {
    client: [{ send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n' }],
    origin: [reply('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n', 'ab', 'cd')],
  },
  'CONNECT behind two requests, and more behind it': {
    client: [
      {
        send: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nx',
      },
      { send: 'y' },
      'fin',
    ],
    origin: [],
  },
};

/** Bytes of clients that are cut at every place. */
export const SPLIT_REQUESTS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nX-T: 1\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\nGET / HTTP/1.1\r\n\r\n',
  '\r\nGET http://b/x?y HTTP/1.1\r\nhost:  a \r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx',
];

/** The same of endpoints. */
export const SPLIT_RESPONSES: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\nA\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 204 No\r\nX: 1\r\n\r\nx',
  'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc',
];
