import { expect } from 'vitest';
import type { Reply } from '../../kit/client.ts';
import { forwardTo } from '../../kit/config.ts';
import { type Front, matrix } from '../../kit/matrix.ts';
import { Responder } from './responder.ts';
import { type MalformedResponse, malformedResponses, type ResponseOutcome } from './responses.ts';

for (const [chapter, cases] of Object.entries(malformedResponses)) {
  matrix(`malformed responses are refused, cut short, or have one meaning: ${chapter}`, async ({ gateway }) => {
    const responder = await Responder.start();
    const front = await gateway(forwardTo(responder));
    const wrong: string[] = [];
    for (const response of cases) {
      responder.prepare(response);
      const problem = await problemWith(response, front).catch((error: Error) => error.message);
      if (problem !== null) wrong.push(`${response.what}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });
}

/** `null` when all is as it must be. */
async function problemWith(response: MalformedResponse, front: Front): Promise<string | null> {
  const connection = await front.connect();
  const method = response.method ?? 'GET';
  const reply = await connection.begin({ method, path: '/first' }).reply();
  const problem = compare(response.outcome, reply);
  if (problem !== null) return problem;
  connection.close();
  // On the endpoint's connection, if it was kept, nothing may be left.
  for (const path of ['/second', '/third']) {
    const next = await front.send({ path });
    if (next.status !== 200 || next.text !== 'fine') return `${path} got ${next.status} ${JSON.stringify(next.text)}`;
  }
  return null;
}

function compare(outcome: ResponseOutcome, { status, text, ended }: Reply): string | null {
  const seen = `the client got ${status} ${JSON.stringify(text.slice(0, 40))}, ${ended}`;
  const refused = status === 502 && ended === 'clean';
  if (outcome === 'refused') return refused ? null : seen;
  if (outcome === 'cut') return refused || (status === 200 && ended !== 'clean') ? null : seen;
  return status === outcome.status && text === outcome.body && ended === 'clean' ? null : seen;
}
