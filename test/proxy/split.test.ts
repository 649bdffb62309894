import { expect, test } from 'vitest';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { isPlain, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, type Origin, origin } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];

function between(v1: { port: number }, v2: { port: number }, route: Partial<Route> = {}): TestConfig {
  return {
    pools: { v1: { endpoints: [`127.0.0.1:${v1.port}`] }, v2: { endpoints: [`127.0.0.1:${v2.port}`] } },
    routes: [
      {
        name: 'all',
        split: [
          { pool: 'v1', weight: 1 },
          { pool: 'v2', weight: 1 },
        ],
        ...route,
      },
    ],
  };
}

const versions = async (): Promise<readonly [Origin, Origin]> => [
  await origin({ script: [{ respond: 200, body: 'v1' }] }),
  await origin({ script: [{ respond: 200, body: 'v2' }] }),
];

matrix(
  'a client keeps the version that it was given, by a cookie, and the log tells which',
  async ({ gateway, downstream }) => {
    const [v1, v2] = await versions();
    const front = await gateway(between(v1, v2, { sticky: true }));
    const connection = await front.connect();
    const first = await connection.send({});
    const cookie = first.header('set-cookie') ?? '';
    expect(cookie).toMatch(/^headgate-split-v1\.v2=[\w-]{32}; Path=\//);
    expect(cookie.includes('Secure')).toBe(!isPlain(downstream));
    for (let i = 0; i < 8; i += 1) {
      const reply = await connection.send({ headers: ['Cookie', cookie.split(';')[0] ?? ''] });
      expect([reply.text, reply.header('set-cookie')]).toEqual([first.text, null]);
    }
    expect(new Set(front.gateway.records.map(({ pool }) => pool))).toEqual(new Set([first.text]));
  },
);

test('two routes over the same versions give a client the same one', async () => {
  const [v1, v2] = await versions();
  const config = between(v1, v2, { sticky: true });
  const gateway = await startTestGateway({
    ...config,
    routes: [...(config.routes ?? []), { ...config.routes?.[0], name: 'api', match: { path: '/api/**' } }],
  });
  for (let i = 0; i < 6; i += 1) {
    const first = await fetch(gateway.url());
    const cookie = (first.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const second = await fetch(`${gateway.url()}/api/x`, { headers: { cookie } });
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get('set-cookie')).toBeNull();
  }
});

test('a client is known by a header field, and the session at an endpoint of its version is kept as well', async () => {
  const [v1, v2] = await versions();
  const config = between(v1, v2, { sticky: { by: { header: 'X-User' } } });
  const gateway = await startTestGateway({
    ...config,
    pools: {
      v1: { ...config.pools?.['v1'], endpoints: [`127.0.0.1:${v1.port}`], affinity: {} },
      v2: config.pools?.['v2'] ?? { endpoints: [] },
    },
  });
  const got = new Set<string>();
  for (let user = 0; user < 12; user += 1) {
    const headers = { 'x-user': `user-${user}` };
    const replies = await Promise.all([1, 2, 3].map(() => fetch(gateway.url(), { headers })));
    const texts = new Set(await Promise.all(replies.map((reply) => reply.text())));
    expect(texts.size).toBe(1);
    const [version = ''] = texts;
    got.add(version);
    for (const reply of replies) {
      expect(reply.headers.get('set-cookie')?.split('=')[0] ?? null).toBe(version === 'v1' ? 'headgate-v1' : null);
    }
  }
  expect(got).toEqual(new Set(['v1', 'v2']));
});

test('what one version said is never a stored answer of the other', async () => {
  const versionOf = (name: string) => ({ respond: 200, body: name, headers: ['Cache-Control', 'max-age=60'] }) as const;
  const v1 = await origin({ script: [versionOf('v1')] });
  const v2 = await origin({ script: [versionOf('v2')] });
  const gateway = await startTestGateway(between(v1, v2, { sticky: { by: { query: 'user' } }, cache: true }));
  const ask = async (user: number) => (await fetch(`${gateway.url()}/?user=${user}`)).text();
  const users = Array.from({ length: 12 }, (_, user) => user);
  const first = await Promise.all(users.map(ask));
  expect(await Promise.all(users.map(ask))).toEqual(first);
  expect(v1.requests + v2.requests).toBe(12);
  const cached = await startTestGateway(between(v1, v2, { sticky: true, cache: true }));
  const one = await fetch(cached.url());
  const cookie = (one.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const again = await fetch(cached.url(), { headers: { cookie } });
  expect([await again.text(), again.headers.get('cache-status')]).toEqual([
    await one.text(),
    expect.stringContaining('hit'),
  ]);
});

matrix(
  'a version that nobody can serve keeps its share: the other does not silently step in',
  async ({ gateway }) => {
    const [v1] = await versions();
    const front = await gateway(
      between(
        v1,
        { port: await deadPort() },
        {
          split: [
            { pool: 'v1', weight: 0 },
            { pool: 'v2', weight: 1 },
          ],
        },
      ),
    );
    expect((await front.send({})).status).toBe(502);
    expect(v1.requests).toBe(0);
  },
  { without: ONE_PROTOCOL },
);
