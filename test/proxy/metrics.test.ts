import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { certificateFor } from '../kit/certificate.ts';
import { forwardTo } from '../kit/config.ts';
import { parseExposition } from '../kit/exposition.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';

async function metricsOf(front: Front): Promise<readonly string[]> {
  const response = await fetch(`${front.gateway.gateway.adminUrl}/metrics`);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  return (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

matrix('exchanges are counted by route and class of status', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200 }] });
  const front = await gateway({
    ...forwardTo(shop),
    routes: [{ name: 'shop', match: { path: '/shop/**' }, pool: 'shop' }],
  });
  await front.send({ path: '/shop/1' });
  await front.send({ path: '/shop/2' });
  await front.send({ path: '/elsewhere' });
  await front.gateway.nextRecord();
  await front.gateway.nextRecord();
  await front.gateway.nextRecord();
  const lines = await metricsOf(front);
  expect(lines).toContain('headgate_http_requests_total{listener="web",route="shop",status="2xx"} 2');
  expect(lines).toContain('headgate_http_requests_total{listener="web",route="",status="4xx"} 1');
  expect(lines).toContain('headgate_http_errors_total{listener="web",route="",side="client",reason="no-route"} 1');
});

matrix('a failure is counted by whose doing it was and why', async ({ gateway }) => {
  const port = await deadPort();
  const front = await gateway({
    pools: { shop: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [{ name: 'shop', pool: 'shop' }],
  });
  await front.send({});
  await front.gateway.nextRecord();
  expect(await metricsOf(front)).toContain(
    'headgate_http_errors_total{listener="web",route="shop",side="upstream",reason="connection-refused"} 1',
  );
});

matrix(
  'what is refused before it is an exchange is counted by its reason, and open connections are counted',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin({ script: [{ respond: 200 }] })));
    const idle = await front.connectHttp1();
    const refused = await front.raw('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    expect((await refused.reply()).status).toBe(400);
    const lines = await metricsOf(front);
    expect(lines.filter((line) => line.startsWith('headgate_refused_total'))).toEqual([
      expect.stringMatching(/^headgate_refused_total\{listener="web",reason="[a-z-]+"\} 1$/),
    ]);
    expect(lines.filter((line) => line.startsWith('headgate_connections'))).toEqual([
      expect.stringMatching(/^headgate_connections\{listener="web"\} [12]$/),
    ]);
    idle.close();
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'the end of a certificate from a file is a metric',
  async ({ gateway, origin }) => {
    const directory = await mkdtemp(join(tmpdir(), 'headgate-metrics-'));
    stopAfterTest(() => rm(directory, { recursive: true }));
    const { cert, key } = await certificateFor(['shop.test'], 90);
    await writeFile(join(directory, 'shop.pem'), cert);
    await writeFile(join(directory, 'shop-key.pem'), key);
    const tls = { certificate: join(directory, 'shop.pem'), key: join(directory, 'shop-key.pem') };
    const front = await gateway(forwardTo(await origin(), { listener: { tls } }));
    const notAfter = new X509Certificate(cert).validToDate.getTime() / 1000;
    expect(await metricsOf(front)).toContain(
      `headgate_certificate_not_after_seconds{listener="web",from="${tls.certificate}"} ${notAfter}`,
    );
  },
  { without: { h1: 'it has no certificate', h2c: 'it has no certificate' } },
);

matrix('retries are counted by pool and reason, and what the budget refuses', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 503 }] });
  const front = await gateway(
    forwardTo(shop, {
      pool: { retryBudget: { share: 0, minimum: 0.1 } },
      route: { retry: { on: [503], backoff: { base: 0 } } },
    }),
  );
  expect((await front.send({})).status).toBe(503);
  const lines = await metricsOf(front);
  expect(lines).toContain('headgate_pool_retries_total{pool="shop",reason="503"} 1');
  expect(lines).toContain('headgate_pool_retries_refused_total{pool="shop"} 1');
  expect(lines).toContain('headgate_pool_hedges_won_total{pool="shop"} 0');
  expect(lines).toContain('headgate_pool_retry_budget{pool="shop"} 0');
});

matrix(
  'attempts are counted by endpoint and result, and what failed by pool and why',
  async ({ gateway, origin }) => {
    const sound = await origin({ script: ['respond 200'] });
    const dead = await deadPort();
    const front = await gateway(
      forwardTo([sound, { port: dead }], { pool: { balance: 'round-robin' }, route: { retry: { attempts: 2 } } }),
    );
    for (let i = 0; i < 2; i += 1) {
      expect((await front.send({})).status).toBe(200);
      await front.gateway.nextRecord();
    }
    const lines = await metricsOf(front);
    const at = (port: number, result: string): string =>
      `headgate_endpoint_attempts_total{pool="shop",endpoint="http://127.0.0.1:${port}",result="${result}"}`;
    expect(lines).toContain(`${at(sound.port, '2xx')} 2`);
    expect(lines.find((line) => line.startsWith(at(dead, 'failed')))).toMatch(/ [12]$/);
    expect(lines.find((line) => line.startsWith('headgate_pool_attempt_failures_total'))).toMatch(
      /^headgate_pool_attempt_failures_total\{pool="shop",reason="connection-refused"\} [12]$/,
    );
    expect(lines).toContain('headgate_pool_attempt_duration_seconds_count{pool="shop"} 2');
    // The second request found the connection of the first.
    expect(lines).toContain('headgate_pool_connect_duration_seconds_count{pool="shop"} 1');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a status that is none is counted as 5xx, of exchanges and of attempts',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin({ script: ['respond 999'] })));
    expect((await front.send({})).status).toBe(999);
    await front.gateway.nextRecord();
    const lines = await metricsOf(front);
    expect(lines).toContain('headgate_http_requests_total{listener="web",route="all",status="5xx"} 1');
    expect(lines.find((line) => line.startsWith('headgate_endpoint_attempts_total'))).toMatch(/result="5xx"\} 1$/);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'who prefers OpenMetrics gets it, and who takes gzip gets that',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin()));
    await front.send({});
    await front.gateway.nextRecord();
    const url = `${front.gateway.gateway.adminUrl}/metrics`;
    const get = (headers: Record<string, string>) => fetch(url, { headers });
    const [plain, open] = await Promise.all([
      get({ accept: 'text/plain', 'accept-encoding': 'identity' }),
      get({ accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5', 'accept-encoding': 'gzip' }),
    ]);
    expect([plain, open].map(({ headers }) => [headers.get('content-type'), headers.get('content-encoding')])).toEqual([
      ['text/plain; version=0.0.4; charset=utf-8', null],
      ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'gzip'],
    ]);
    expect(open.headers.get('vary')).toBe('Accept, Accept-Encoding');
    const [before, after] = [
      parseExposition(await plain.text(), 'prometheus'),
      parseExposition(await open.text(), 'openmetrics'),
    ];
    expect(after.map(({ name, type }) => (type === 'counter' ? `${name}_total` : name))).toEqual(
      before.map(({ name }) => name),
    );
    const head = await fetch(url, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'reloads are counted by result, and a route that one removes keeps its counts for now',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const config = forwardTo(shop);
    const front = await gateway(config);
    await front.send({});
    await front.gateway.nextRecord();
    const digestOf = async () => (await metricsOf(front)).find((line) => line.startsWith('headgate_config_info'));
    const digest = await digestOf();
    expect(digest).toMatch(/^headgate_config_info\{digest="[0-9a-f]{12}"\} 1$/);
    await front.reload(config);
    expect(await digestOf()).toBe(digest);
    expect((await front.reload({ ...config, routes: [{ name: 'other', pool: 'shop' }] })).result).toBe('applied');
    const lines = await metricsOf(front);
    expect(lines).toEqual(
      expect.arrayContaining([
        'headgate_config_reloads_total{result="applied"} 2',
        'headgate_config_last_reload_success 1',
        'headgate_quarantined{kind="route"} 0',
        'headgate_http_requests_total{listener="web",route="all",status="2xx"} 1',
      ]),
    );
    expect(await digestOf()).not.toBe(digest);
    expect((await front.reload({ ...config, drainTimeout: 'soon' })).result).toBe('refused');
    expect(await metricsOf(front)).toEqual(
      expect.arrayContaining([
        'headgate_config_reloads_total{result="refused"} 1',
        'headgate_config_last_reload_success 0',
      ]),
    );
  },
  { without: ONE_PROTOCOL },
);
