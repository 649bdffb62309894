import { expect, test } from 'vitest';
import { statusText } from '../../../src/cli/status.ts';
import type { GatewayStatus } from '../../../src/control/status.ts';

test('endpoints are told with their priority, and pools that panic', () => {
  const connections = { open: 2, busy: 1, queued: 0 };
  const endpoint = {
    origin: 'http://10.0.0.1:3000',
    health: 'down',
    standing: 'enabled',
    weight: 1,
    weightByHand: null,
  };
  const pool = (name: string, panicking: boolean, priority: number) => ({
    ...{ name, panicking },
    endpoints: [{ ...endpoint, priority, inFlight: 3, sessions: null, connections }],
  });
  const pools = [pool('shop', true, 0), pool('cart', false, 1)];
  const status = { version: '1.0.0', startedAt: 'then', phase: 'serving', routes: 1, listeners: [], pools };
  const lines = statusText(status as unknown as GatewayStatus).split('\n');
  expect(lines.slice(-4)).toEqual([
    'POOL          ENDPOINT              PRIORITY  HEALTH  STANDING  WEIGHT  IN FLIGHT  SESSIONS  CONNECTIONS',
    'shop (panic)  http://10.0.0.1:3000  0         down    enabled   1       3                    1 of 2 busy',
    'cart          http://10.0.0.1:3000  1         down    enabled   1       3                    1 of 2 busy',
    '',
  ]);
});
