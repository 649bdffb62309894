import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';

matrix(
  'metrics tell which endpoints are up, and count their checks by what they showed',
  async ({ gateway, origin }) => {
    const [sound, sick] = [await origin(), await origin({ script: ['respond 500'] })];
    const health = { interval: '20ms', fall: 1 };
    const front = await gateway(forwardTo([sound, sick], { pool: { health } }));
    await until(() => front.gateway.status().pools[0]?.available === 1, 'the sick endpoint to be taken out');
    const text = await metricsOf(front);
    expect(text).toContain(`headgate_endpoint_up{pool="shop",endpoint="http://127.0.0.1:${sound.port}"} 1`);
    expect(text).toContain(`headgate_endpoint_up{pool="shop",endpoint="http://127.0.0.1:${sick.port}"} 0`);
    expect(text).toMatch(
      new RegExp(
        `checks_total{endpoint="http://127.0.0.1:${sick.port}",result="failed",reason="unexpected-status"} \\d`,
      ),
    );
  },
  { without: ONE_PROTOCOL },
);

async function metricsOf(front: Front): Promise<string> {
  return (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
}
