import { expect, test } from 'vitest';
import { basic } from '../kit/auth.ts';
import { startTestGateway } from '../kit/gateway.ts';

/** Of “U*U”: cheap. */
const CHEAP = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
/** Of nobody knows what: some hundredths of a second each. */
const DEAR = '$2a$08$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

test('whoever is known goes on while others wait for their passwords; one too many is told so, and the end ends them all', async () => {
  const auth = { basic: { users: { ann: CHEAP, bob: DEAR } } };
  const gateway = await startTestGateway({ routes: [{ auth, respond: { status: 204 } }] });
  const ask = async (user: string, password: string): Promise<number> => {
    const [name = '', value = ''] = basic(user, password);
    return (await fetch(gateway.url(), { headers: { [name]: value } })).status;
  };
  expect(await ask('ann', 'U*U')).toBe(204);
  const guesses = Array.from({ length: 80 }, (_, index) => ask('bob', `guess ${index}`));
  const told: number[] = [];
  for (const guess of guesses) void guess.then((status) => told.push(status)).catch(() => {});
  // Some wait, others have been sent away, and none of that holds up who is known.
  while (!told.includes(503)) expect(await ask('ann', 'U*U')).toBe(204);
  const statuses = await Promise.all(guesses);
  expect(new Set(statuses)).toEqual(new Set([401, 503]));
  expect(gateway.records.filter(({ end }) => end.reason === 'auth-overloaded').length).toBeGreaterThan(0);
  const last = ask('bob', 'the last guess').catch(() => 0);
  await gateway.gateway.close();
  expect([0, 401, 503]).toContain(await last);
}, 60_000);
