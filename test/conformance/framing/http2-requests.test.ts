import { expect, test } from 'vitest';
import { forwardTo } from '../../kit/config.ts';
import { type Frame, FrameClient } from '../../kit/frame-client.ts';
import { TYPE } from '../../kit/h2-frames.ts';
import { type Front, HTTP2_ONLY, isPlain, matrix } from '../../kit/matrix.ts';
import { type AmbiguousStream, ambiguousStreams, type Http2Outcome } from './http2-requests.ts';
import { Recorder } from './recorder.ts';
import type { StrictRequest } from './strict-requests.ts';

/** `:status: 200`, indexed (RFC 7541, appendix A). */
const STATUS_200 = 0x88;

for (const [chapter, cases] of Object.entries(ambiguousStreams)) {
  matrix(
    `HTTP/2 requests that would be others in HTTP/1.1 are refused or have one meaning: ${chapter}`,
    async ({ gateway }) => {
      const recorder = await Recorder.start();
      const front = await gateway(forwardTo(recorder));
      const wrong: string[] = [];
      for (const stream of cases) {
        const problem = await problemWith(stream, front, recorder).catch((error: Error) => error.message);
        if (problem !== null) wrong.push(`${stream.what}: ${problem}`);
      }
      expect(wrong).toEqual([]);
    },
    { without: HTTP2_ONLY },
  );
}

/** `null` when all is as it must be. */
async function problemWith({ frames, outcome }: AmbiguousStream, front: Front, recorder: Recorder) {
  await recorder.forget();
  const client = await FrameClient.connect({ port: front.gateway.port(), tls: !isPlain(front.downstream) });
  client.send(frames);
  const answer = await answerOf(client);
  // What came behind the frame that was refused, and what the refusal set off, is through by then.
  await client.alive();
  client.socket.destroy();
  if (recorder.oddities.length > 0) return `the endpoint got ${recorder.oddities.join(', ')}`;
  return compare(outcome, answer, recorder);
}

async function answerOf(client: FrameClient): Promise<'200' | 'refused'> {
  const ofStream = ({ type, stream }: Frame) => stream === 1 && (type === TYPE.headers || type === TYPE.reset);
  const first = await client
    .frame((frame) => ofStream(frame) || frame.type === TYPE.goaway)
    .catch((error: Error) => {
      if (!client.closed) throw error;
      return null;
    });
  return first !== null && first.type === TYPE.headers && first.payload[0] === STATUS_200 ? '200' : 'refused';
}

function compare(outcome: Http2Outcome, answer: '200' | 'refused', recorder: Recorder): string | null {
  const { requests } = recorder;
  const [only, second] = requests;
  if (outcome === 'refused') {
    if (answer !== 'refused') return 'answered with 200';
    return only === undefined ? null : `refused, and forwarded as ${JSON.stringify(requests)}`;
  }
  if (answer !== '200') return 'refused';
  if (only === undefined || second !== undefined) return `${requests.length} requests at the endpoint`;
  if (recorder.unfinished !== '') return `followed by ${JSON.stringify(recorder.unfinished)}`;
  return difference(outcome, only);
}

function difference(outcome: Exclude<Http2Outcome, 'refused'>, got: StrictRequest): string | null {
  const { method = got.method, target = got.target, body = got.body, fields = {} } = outcome;
  if (got.method !== method || got.target !== target || got.body !== body) {
    return `forwarded as ${got.method} ${got.target} with ${JSON.stringify(got.body)}`;
  }
  for (const [name, value] of Object.entries(fields)) {
    const values = got.fields.flatMap(([is, said]) => (is === name ? [said] : []));
    if (values.join('\n') !== (value ?? '')) return `forwarded with ${name} ${JSON.stringify(values)}`;
  }
  return null;
}

test('the corpus has at least 100 streams, no two alike', () => {
  const all = Object.values(ambiguousStreams).flat();
  expect(all.length).toBeGreaterThanOrEqual(100);
  expect(new Set(all.map(({ frames }) => frames.toString('latin1'))).size).toBe(all.length);
  expect(new Set(all.map(({ what }) => what)).size).toBe(all.length);
});
