import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LaneSink } from '../../../src/downstream/fastlane/response.ts';
import { Http1Request, Http1Response } from '../../../src/downstream/http1/message.ts';
import { Http1Sink, type ResponseOwner } from '../../../src/downstream/http1/response.ts';
import { clientGone } from '../../../src/errors.ts';
import type { CommonFields, ResponseSink } from '../../../src/exchange/response-sink.ts';
import type { HeaderList } from '../../../src/http/headers.ts';

/** What is asked of a sink, one call after the other. */
type Call =
  | { readonly call: 'informational'; readonly status: number; readonly headers: HeaderList }
  | { readonly call: 'start'; readonly status: number; readonly headers: HeaderList }
  | {
      readonly call: 'respond';
      readonly status: number;
      readonly headers: HeaderList;
      readonly body: Buffer | null;
      readonly common?: CommonFields;
    }
  | { readonly call: 'data'; readonly bytes: Buffer }
  | { readonly call: 'end'; readonly trailers: HeaderList | null }
  | { readonly call: 'fail' }
  | { readonly call: 'wait' };

interface Script {
  readonly method: 'GET' | 'HEAD';
  readonly keepAlive: boolean;
  readonly calls: readonly Call[];
}

interface Seen {
  readonly wire: string;
  readonly bytesOut: number;
  readonly unsendable: boolean;
  readonly events: readonly string[];
}

/** The sink under test and how its script goes on: one connection each. */
let play: (socket: Socket, sinkOf: (owner: ResponseOwner) => LaneSink | Http1Sink) => void = () => {};
let general: HttpServer;
let lane: Server;

beforeAll(async () => {
  const options = { IncomingMessage: Http1Request, ServerResponse: Http1Response, keepAliveTimeout: 0 };
  general = createHttpServer<typeof Http1Request, typeof Http1Response>(options, (request, response) => {
    play(request.socket, (owner) => new Http1Sink(response, owner, false));
  });
  // As `Http1Connection` does.
  general.on('connection', (socket) => socket.setDefaultEncoding('latin1'));
  lane = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    socket.once('data', (bytes) => {
      play(socket, (owner) => {
        const sink = new LaneSink(socket, owner, bytes.toString('latin1').startsWith('HEAD'));
        socket.on('drain', () => sink.drained());
        socket.on('close', () => sink.connectionClosed());
        return sink;
      });
    });
  });
  general.listen(0, '127.0.0.1');
  lane.listen(0, '127.0.0.1');
  await Promise.all([once(general, 'listening'), once(lane, 'listening')]);
});

afterAll(() => {
  general.close();
  lane.close();
});

async function seenOn(server: Server, script: Script): Promise<Seen> {
  const events: string[] = [];
  const over = Promise.withResolvers<LaneSink | Http1Sink>();
  play = (socket, sinkOf) => {
    socket.on('error', () => {});
    const sink = sinkOf({
      keepsAlive: () => script.keepAlive,
      responseEnded: () => events.push('ended'),
      responseClosed: (complete) => events.push(complete ? 'complete' : 'cut'),
    });
    sink.onClose = () => {
      events.push('closed');
      // As the connection would, after its last response.
      socket.end();
      over.resolve(sink);
    };
    run(sink, script.calls).catch(over.reject);
  };
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  let wire = '';
  client.on('data', (bytes) => {
    wire += bytes.toString('latin1');
  });
  const closed = once(client, 'close');
  client.write(`${script.method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  const sink = await over.promise;
  await closed;
  const { bytesOut, unsendable } = sink;
  return { wire: wire.replace(/\r\nDate: [^\r]*GMT\r\n/, '\r\nDate: masked\r\n'), bytesOut, unsendable, events };
}

async function run(sink: ResponseSink, calls: readonly Call[]): Promise<void> {
  for (const step of calls) {
    switch (step.call) {
      case 'informational':
        sink.informational(step.status, step.headers);
        break;
      case 'start':
        sink.start({ status: step.status, headers: step.headers });
        break;
      case 'respond':
        sink.respond({ status: step.status, headers: step.headers, common: step.common ?? null }, step.body);
        break;
      case 'data':
        if (!sink.data(step.bytes)) await new Promise<void>((resolve) => Object.assign(sink, { onDrain: resolve }));
        break;
      case 'end':
        sink.end(step.trailers);
        break;
      case 'fail':
        sink.fail(clientGone());
        break;
      case 'wait':
        await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const sendable: fc.Arbitrary<readonly [string, string]> = fc.constantFrom<(readonly [string, string])[]>(
  ['Content-Type', 'text/plain'],
  ['X-Tab', 'a\tb'],
  ['X-Empty', ''],
  ['x-latin', 'caf\u00e9\u00ff'],
  ['Set-Cookie', 'a=1'],
  ['Set-Cookie', 'b=2'],
  ['set-cookie', 'c=3'],
  ['Date', 'Sun, 06 Nov 1994 08:49:37 GMT'],
  ['date', 'never'],
  ['Connection', 'close'],
  ['connection', 'X-Hop'],
  ['Keep-Alive', 'timeout=9'],
  ['Transfer-Encoding', 'chunked'],
  ['Trailer', 'X-Sum'],
  ['Content-Disposition', 'attachment; filename="\u00c3\u00a9"'],
  ['content-disposition', 'inline'],
  ['Expect', '1'],
  [`X-${'long'.repeat(30)}`, 'v'],
);
const refused = fc.constantFrom<(readonly [string, string])[]>(
  ['X-Nul', 'a\0b'],
  ['X-Split', 'a\r\nX-More: b'],
  ['X-Del', 'a\u007f'],
  ['X-Snow', '\u2603'],
  ['X Space', 'a'],
  ['X\r\n', 'a'],
  ['', 'a'],
  ['X-\u00e9', 'a'],
);
const fields = fc.oneof(
  { weight: 9, arbitrary: fc.array(sendable, { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.array(fc.oneof(sendable, refused), { maxLength: 4 }) },
);
const status = fc.oneof(
  { weight: 6, arbitrary: fc.constant(200) },
  { weight: 4, arbitrary: fc.constantFrom(204, 304, 404, 206, 205, 299, 999, 99, 1000) },
);
const piece = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 0, max: 900 }) },
  { weight: 1, arbitrary: fc.constantFrom(8191, 8192, 8193, 70_000) },
);

const script: fc.Arbitrary<Script> = fc
  .record({
    method: fc.constantFrom('GET' as const, 'GET' as const, 'HEAD' as const),
    keepAlive: fc.boolean(),
    status,
    fields,
    interim: fc.array(fc.constantFrom(100, 101, 103, 199, 200), { maxLength: 1 }),
    pieces: fc.array(piece, { maxLength: 3 }),
    waits: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
    length: fc.constantFrom<('exact' | 'none' | 'more' | 'fewer' | 'odd')[]>(
      'exact',
      'exact',
      'none',
      'none',
      'more',
      'fewer',
      'odd',
    ),
    lengthAt: fc.nat({ max: 5 }),
    whole: fc.boolean(),
    ending: fc.constantFrom<('end' | 'trailers' | 'fail')[]>('end', 'end', 'trailers', 'fail'),
    trailers: fields,
  })
  .map((drawn) => ({ method: drawn.method, keepAlive: drawn.keepAlive, calls: callsOf(drawn) }));

interface Drawn {
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly interim: readonly number[];
  readonly pieces: readonly number[];
  readonly waits: readonly boolean[];
  readonly length: 'exact' | 'none' | 'more' | 'fewer' | 'odd';
  readonly lengthAt: number;
  readonly whole: boolean;
  readonly ending: 'end' | 'trailers' | 'fail';
  readonly trailers: readonly (readonly [string, string])[];
}

function callsOf(drawn: Drawn): Call[] {
  const { status: code, whole, waits } = drawn;
  const calls: Call[] = drawn.interim.map((interim) => {
    return { call: 'informational', status: interim, headers: ['Link', '</a>; rel=preload'] };
  });
  const headers = headersOf(drawn);
  if (whole) {
    const size = drawn.pieces[0];
    calls.push({ call: 'respond', status: code, headers, body: size === undefined ? null : bytesOf(size, 0) });
    return calls;
  }
  calls.push({ call: 'start', status: code, headers });
  for (const [at, size] of drawn.pieces.entries()) {
    if (waits[at] === true) calls.push({ call: 'wait' });
    calls.push({ call: 'data', bytes: bytesOf(size, at) });
  }
  if (waits[4] === true) calls.push({ call: 'wait' });
  if (drawn.ending === 'fail') calls.push({ call: 'fail' });
  else calls.push({ call: 'end', trailers: drawn.ending === 'end' ? null : drawn.trailers.flat() });
  return calls;
}

function headersOf(drawn: Drawn): string[] {
  const pairs = [...drawn.fields];
  const total = drawn.whole ? (drawn.pieces[0] ?? 0) : drawn.pieces.reduce((sum, size) => sum + size, 0);
  const lengths = { exact: total, more: total + 1, fewer: Math.max(0, total - 1), odd: 'x' };
  // A response that is told in one call has the length that it says, or none.
  const { length } = drawn;
  if (length !== 'none' && (!drawn.whole || length === 'exact'))
    pairs.splice(drawn.lengthAt, 0, ['Content-Length', String(lengths[length])]);
  return pairs.flat();
}

function bytesOf(size: number, seed: number): Buffer {
  return Buffer.alloc(size, 'abcdefgh\u00e9'.slice(seed), 'latin1');
}

/** Where a body is cut into chunks is nobody's meaning: the lane does not gather large ones. */
function unchunked(wire: string): string {
  const at = wire.lastIndexOf('\r\nTransfer-Encoding: chunked\r\n\r\n');
  if (at === -1) return wire;
  const bodyAt = wire.indexOf('\r\n\r\n', at) + 4;
  let body = '';
  let rest = wire.slice(bodyAt);
  for (;;) {
    const lineEnd = rest.indexOf('\r\n');
    const size = Number.parseInt(rest, 16);
    if (lineEnd === -1 || size === 0 || Number.isNaN(size)) return `${wire.slice(0, bodyAt)}${body}|${rest}`;
    body += rest.slice(lineEnd + 2, lineEnd + 2 + size);
    rest = rest.slice(lineEnd + 4 + size);
  }
}

test('the lane writes what the general sink writes through Node, and tells of it in the same order', async () => {
  let cut = 0;
  let bare = 0;
  let chunked = 0;
  await fc.assert(
    fc.asyncProperty(script, async (drawn) => {
      const expected = await seenOn(general, drawn);
      const seen = await seenOn(lane, drawn);
      if (expected.events.includes('cut')) {
        cut += 1;
        // How much had left before it was cut is the kernel's to say.
        expect(seen.events).toEqual(expected.events);
        return;
      }
      if (expected.unsendable) bare += 1;
      if (expected.wire.includes('chunked')) chunked += 1;
      expect({ ...seen, wire: unchunked(seen.wire) }).toEqual({ ...expected, wire: unchunked(expected.wire) });
      if (expected.wire.length < 8192) expect(seen.wire).toBe(expected.wire);
    }),
    { seed: 8, numRuns: 400 },
  );
  expect(Math.min(cut, bare, chunked)).toBeGreaterThan(10);
});

test.each(['respond', 'end'] as const)(
  'a response whose client has ended both sides before %s is cut',
  async (last) => {
    const seen: string[][] = [];
    for (const server of [general, lane]) {
      const events: string[] = [];
      const over = Promise.withResolvers<void>();
      play = (socket, sinkOf) => {
        const sink = sinkOf({
          keepsAlive: () => true,
          responseEnded: () => events.push('ended'),
          responseClosed: (complete) => events.push(complete ? 'complete' : 'cut'),
        });
        sink.onClose = over.resolve;
        if (last === 'end') sink.start({ status: 200, headers: ['Content-Length', '0'] });
        socket.end();
        if (last === 'end') sink.end(null);
        else sink.respond({ status: 200, headers: [] }, Buffer.from('too late'));
      };
      const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
      client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
      client.resume();
      await over.promise;
      seen.push(events);
    }
    expect(seen).toEqual([
      ['ended', 'cut'],
      ['ended', 'cut'],
    ]);
  },
);

/** Responses made from one stored response, one after the other. */
const again = fc.record({
  fields: fc.array(sendable, { maxLength: 4 }),
  length: fc.boolean(),
  bodies: fc.constantFrom([3, 3], [900, 900], [900, 20], [9000, 9000], [0, 3]),
  turns: fc.array(
    fc.record({
      method: fc.constantFrom('GET' as const, 'GET' as const, 'GET' as const, 'HEAD' as const),
      status: fc.constantFrom(200, 200, 200, 304, 204),
      age: fc.constantFrom('7', '7', '7', '8'),
      more: fc.constantFrom<(readonly string[])[]>(
        [],
        [],
        [],
        ['Set-Cookie', 'a=1'],
        ['Content-Disposition', 'inline'],
        ['X', '\0'],
      ),
      edited: fc.constantFrom(false, false, false, true),
      bodyAt: fc.constantFrom(0, 0, 0, 1),
      keepAlive: fc.constantFrom(true, true, true, false),
    }),
    { minLength: 3, maxLength: 6 },
  ),
});

test('what was kept of a response that is sent again is what would be written anew', async () => {
  await fc.assert(
    fc.asyncProperty(again, async ({ fields: pairs, length, bodies, turns }) => {
      const stored = [...pairs.flat(), 'Date', 'Sun, 06 Nov 1994 08:49:37 GMT'];
      const chunks = bodies.map((size, at) => bytesOf(size, at));
      // As the cache has it: another length is another stored response.
      const lists = bodies.map((size) => (length ? [...stored, 'Content-Length', String(size)] : stored));
      const commons = lists.map((list): CommonFields => ({ fields: list, made: null }));
      for (const { method, status: code, age, more, edited, bodyAt, keepAlive } of turns) {
        const headers = [...(lists[bodyAt] ?? []), 'Age', age, ...more];
        if (edited) headers[1] = 'edited';
        const body = method === 'HEAD' || code !== 200 ? null : (chunks[bodyAt] ?? null);
        const common = commons[bodyAt];
        const call: Call = {
          call: 'respond',
          status: code,
          headers,
          body,
          ...(common === undefined ? {} : { common }),
        };
        const calls = [call];
        expect(await seenOn(lane, { method, keepAlive, calls })).toEqual(
          await seenOn(general, { method, keepAlive, calls }),
        );
      }
    }),
    { seed: 4, numRuns: 60 },
  );
});

test('of three equal responses the third is written as it was kept', async () => {
  const fields = ['Content-Type', 'text/plain', 'Date', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Content-Length', '6'];
  const common: CommonFields = { fields, made: null };
  const body = Buffer.from('stored');
  const respond = (): Promise<Seen> => {
    const call: Call = { call: 'respond', status: 200, headers: [...fields, 'Age', '1'], body, common };
    return seenOn(lane, { method: 'GET', keepAlive: true, calls: [call] });
  };
  const first = await respond();
  expect(await respond()).toEqual(first);
  // Nobody may write to the bytes of a stored body. Whoever does sees that they are not looked at any more.
  body.write('STORED');
  expect(await respond()).toEqual(first);
  expect(first.wire.endsWith('\r\n\r\nstored')).toBe(true);
});
