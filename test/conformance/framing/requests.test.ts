import { expect, test } from 'vitest';
import { forwardTo } from '../../kit/config.ts';
import type { Http1Client } from '../../kit/http1-client.ts';
import { type Front, HTTP1_ONLY, matrix } from '../../kit/matrix.ts';
import { Recorder } from './recorder.ts';
import { HOST, type MalformedRequest, malformedRequests, type Outcome } from './requests.ts';
import { readStrictly } from './strict-requests.ts';

/** Long ones add nothing byte by byte: what they test is a bound. */
const BYTEWISE_LIMIT = 2_000;

type Deliver = (client: Http1Client, bytes: Buffer) => Promise<void>;

const deliveries: Readonly<Record<string, Deliver>> = {
  'in one piece': async (client, bytes) => client.write(bytes),
  'byte by byte': async (client, bytes) => {
    for (const byte of bytes) {
      if (client.socket.writable) client.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
  },
};

for (const [chapter, cases] of Object.entries(malformedRequests)) {
  for (const [how, deliver] of Object.entries(deliveries)) {
    matrix(
      `malformed and ambiguous requests are refused or have one meaning: ${chapter}, ${how}`,
      async ({ gateway }) => {
        const recorder = await Recorder.start();
        const front = await gateway(forwardTo(recorder));
        const wrong: string[] = [];
        for (const request of cases) {
          if (how === 'byte by byte' && request.bytes.length > BYTEWISE_LIMIT) continue;
          const problem = await problemWith(request, { front, recorder, deliver }).catch(
            (error: Error) => error.message,
          );
          if (problem !== null) wrong.push(`${request.what}: ${problem}`);
        }
        expect(wrong).toEqual([]);
      },
      { without: HTTP1_ONLY },
    );
  }
}

interface Stage {
  readonly front: Front;
  readonly recorder: Recorder;
  readonly deliver: Deliver;
}

/** `null` when all is as it must be. */
async function problemWith(request: MalformedRequest, { front, recorder, deliver }: Stage): Promise<string | null> {
  await recorder.forget();
  const client = await front.connectHttp1();
  const exchange = client.expect(request.bytes.startsWith('HEAD') ? 'HEAD' : 'GET');
  await deliver(client, Buffer.from(request.bytes, 'latin1'));
  if ('unfinished' in request.outcome) client.socket.end();
  const reply = await exchange.reply();
  if ('refused' in request.outcome) {
    // What may be read in two ways is followed by nothing.
    if (client.socket.writable) client.write(`GET /after HTTP/1.1\r\n${HOST}\r\n`);
  } else if (client.socket.writable) {
    client.socket.end();
  }
  await client.dismissed();
  client.close();
  if (recorder.oddities.length > 0) return `the endpoint got ${recorder.oddities.join(', ')}`;
  return compare(request.outcome, { status: reply.status, recorder });
}

function compare(outcome: Outcome, seen: { status: number; recorder: Recorder }): string | null {
  const { status, recorder } = seen;
  const { requests } = recorder;
  if ('unfinished' in outcome) return requests.length === 0 ? null : 'the endpoint took it for a whole request';
  if ('refused' in outcome) {
    if (!outcome.refused.includes(status)) return `answered with ${status}`;
    return requests.length === 0 ? null : `refused, and forwarded as ${JSON.stringify(requests)}`;
  }
  if (status !== 200) return `answered with ${status}`;
  const [only, second] = requests;
  if (only === undefined || second !== undefined) return `${requests.length} requests at the endpoint`;
  const { method = only.method, target = only.target, body = only.body } = outcome.one;
  if (only.method !== method || only.target !== target || only.body !== body) {
    return `forwarded as ${only.method} ${only.target} with ${JSON.stringify(only.body)}`;
  }
  return recorder.unfinished === '' ? null : `followed by ${JSON.stringify(recorder.unfinished)}`;
}

test('the corpus has at least 150 requests, no two alike', () => {
  const all = Object.values(malformedRequests).flat();
  expect(all.length).toBeGreaterThanOrEqual(150);
  expect(new Set(all.map(({ bytes }) => bytes)).size).toBe(all.length);
  expect(new Set(all.map(({ what }) => what)).size).toBe(all.length);
});

test('the reading at the endpoint tells a smuggled request', () => {
  const bytes = Buffer.from(
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\n\r\naGET /smuggled HTTP/1.1\r\n${HOST}\r\nrest`,
  );
  const { requests, rest } = readStrictly(bytes);
  expect(requests.map(({ target }) => target)).toEqual(['/', '/smuggled']);
  expect(rest.toString()).toBe('rest');
  expect(() => readStrictly(Buffer.from(`GET / HTTP/1.1\n${HOST}\r\n\r\n`))).toThrow('request line');
  expect(() => readStrictly(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'))).toThrow('2 Host fields');
});
