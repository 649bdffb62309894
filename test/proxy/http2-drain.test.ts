import { expect, test } from 'vitest';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { until } from '../kit/deadline.ts';
import { H2Client } from '../kit/h2-client.ts';
import { startListener } from '../kit/listener.ts';

/** Answers after a few turns of the event loop, so that there is always something on its way in both directions. */
function answerSoon({ response }: Exchange, turns = 5): void {
  if (turns === 0) response.respond({ status: 200, headers: [] }, Buffer.from('served'));
  else setImmediate(() => answerSoon({ response } as Exchange, turns - 1));
}

test.each([
  ['TLS', { tls: true }],
  ['prior knowledge', { tls: false, over: { h2c: true } }],
])('sessions that are busy when the drain begins lose none of their requests (%s)', async (_how, options) => {
  const listener = await startListener({ ...options, handle: answerSoon });
  const scheme = options.tls ? 'https' : 'http';
  const clients = await Promise.all(
    Array.from({ length: 30 }, () => H2Client.connect({ port: listener.port, scheme })),
  );
  let sent = 0;
  const failures: string[] = [];
  let served = 0;
  const keepAsking = async (client: H2Client): Promise<void> => {
    while (client.goaways.length === 0 && !client.session.closed && !client.session.destroyed) {
      sent += 1;
      const { status, text, resetCode } = await client.request({ ':path': '/' });
      if (status === 200 && text === 'served') served += 1;
      else failures.push(`${status} "${text}" ${resetCode}`);
    }
  };
  const asking = clients.flatMap((client) => Array.from({ length: 8 }, () => keepAsking(client)));
  await until(() => served > 1_000, 'a thousand responses');
  await listener.listener.drain(20_000);
  await Promise.all(asking);
  expect(failures).toEqual([]);
  expect(served).toBe(sent);
  expect(clients.every(({ goaways }) => goaways[0] === 0)).toBe(true);
});
