import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { type Origin, origin } from '../kit/origin.ts';

/** Without a timeout: the clock moves by seconds while answers are on their way. */
const HEALTH = { interval: '100ms', timeout: 0, jitter: 0, rise: 1, fall: 1, slowStart: '20s' } as const;

function rampsOf(front: Front): (number | undefined)[] {
  return front.gateway.status().pools[0]?.endpoints.map(({ ramp }) => ramp) ?? [];
}

/** Of `count` requests, those that reached `to`. */
async function shareOf(front: Front, to: Origin, count: number): Promise<number> {
  const before = to.received.filter(({ target }) => target === '/work').length;
  for (let i = 0; i < count; i += 1) expect((await front.send({ path: '/work' })).status).toBe(200);
  return to.received.filter(({ target }) => target === '/work').length - before;
}

matrix(
  'an endpoint that comes back gets a tenth of its share at first, and all of it after slowStart',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const [restarted, steady] = [await origin(), await origin()];
    const front = await gateway(forwardTo([restarted, steady], { pool: { health: HEALTH } }), { clock });
    const healthIs = (health: string): Promise<void> =>
      until(() => {
        clock.advance(10);
        return front.gateway.status().pools[0]?.endpoints[0]?.health === health;
      }, `the endpoint to be ${health}`);
    const { port } = restarted;
    await restarted.close();
    await healthIs('down');
    await restarted.listen(port, '127.0.0.1');
    await healthIs('up');
    expect(rampsOf(front)).toEqual([0.1, 1]);
    expect(await shareOf(front, restarted, 22)).toBe(2);
    clock.advance(10_000);
    expect(rampsOf(front)[0]).toBeCloseTo(0.55);
    clock.advance(10_000);
    expect(rampsOf(front)).toEqual([1, 1]);
    expect(await shareOf(front, restarted, 20)).toBe(10);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'so does one that is enabled by hand again, and nobody at the start',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const [first, second] = [await origin(), await origin()];
    const front = await gateway(forwardTo([first, second], { pool: { health: HEALTH } }), { clock });
    expect(rampsOf(front)).toEqual([1, 1]);
    const { control } = front.gateway.gateway;
    control.disable('shop', `127.0.0.1:${first.port}`);
    control.enable('shop', `127.0.0.1:${first.port}`);
    expect(rampsOf(front)).toEqual([0.1, 1]);
    expect(await shareOf(front, first, 11)).toBe(1);
  },
  { without: ONE_PROTOCOL },
);
