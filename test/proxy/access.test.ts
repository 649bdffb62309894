import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readQuestion } from '../../src/control/explain/question.ts';
import { forwardTo } from '../kit/config.ts';
import { inTime } from '../kit/deadline.ts';
import { startTestGateway, type TestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { HTTP1_ONLY, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { exchangeRaw } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { handshake } from '../kit/upgrade.ts';

const behindProxy = { trustedProxies: ['127.0.0.0/8'] };
const from = (address: string) => ['X-Forwarded-For', address];

async function fileOf(content: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-access-'));
  stopAfterTest(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'list.txt');
  await writeFile(file, content);
  return file;
}

/** As editors and configuration managers do it. */
async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content);
  await rename(`${file}.new`, file);
}

/** Looks at the file, as time does, until `event` has happened `count` times. */
async function told(gateway: TestGateway, clock: ManualClock, event: string, count = 1): Promise<void> {
  const line = `headgate_policy_events_total{policy="access",owner="route all",event="${event}"} ${count}`;
  let isTold = false;
  const looking = (async () => {
    while (!isTold) {
      clock.advance(2_000);
      isTold = (await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text()).includes(line);
    }
  })();
  await inTime(looking, line).finally(() => {
    isTold = true;
  });
}

matrix('a client is let in by its address behind trusted proxies, and kept out by it', async ({ gateway, origin }) => {
  const shop = await origin();
  const access = { deny: ['10.6.6.0/24'], allow: ['10.0.0.0/8', '2001:db8::/32'] };
  const front = await gateway(forwardTo(shop, { listener: behindProxy, route: { access } }));
  const statuses: number[] = [];
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::7', '10.6.6.6', '192.0.2.7', '2001:db9::1']) {
    statuses.push((await front.send({ headers: from(address) })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 403, 403, 403]);
  expect(shop.requests).toBe(3);
});

matrix(
  'what a client says about its address is no reason to let it in',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin(), { route: { access: { allow: ['10.0.0.0/8'] } } }));
    const reply = await front.send({
      headers: [...from('10.1.2.3'), 'Forwarded', 'for=10.1.2.3', 'X-Real-IP', '10.1.2.3'],
    });
    expect([reply.status, reply.header('proxy-status')]).toEqual([403, 'headgate; error=http_request_denied']);
    expect(await front.gateway.nextRecord()).toMatchObject({ policy: 'access', end: { reason: 'address-denied' } });
  },
  { without: ONE_PROTOCOL },
);

matrix('a method that is not on the list is 405, and Allow says which are', async ({ gateway, origin }) => {
  const front = await gateway(forwardTo(await origin(), { route: { access: { methods: ['GET', 'QUERY'] } } }));
  const reply = await front.send({ method: 'DELETE' });
  expect([reply.status, reply.all('allow')]).toEqual([405, ['GET, HEAD, QUERY']]);
  expect((await front.send({ method: 'HEAD' })).status).toBe(200);
});

matrix('the first rule that holds decides, on the one path that everybody sees', async ({ gateway, origin }) => {
  const rules = [
    { allow: { path: '/admin/health' } },
    { name: 'admin', deny: { path: '/admin/**', not: { headers: { 'X-Token': 'open' } } } },
    { deny: { method: 'DELETE' } },
  ];
  const front = await gateway(forwardTo(await origin(), { route: { access: { rules } } }));
  const asked = [
    { path: '/shop' },
    { path: '/admin/health' },
    { path: '/admin/users' },
    { path: '/x/%2e%2e/%61dmin//users' },
    { path: '/admin/users', headers: ['X-Token', 'open'] },
    { path: '/shop', method: 'DELETE' },
  ];
  const statuses: number[] = [];
  for (const request of asked) statuses.push((await front.send(request)).status);
  expect(statuses).toEqual([200, 200, 403, 403, 200, 403]);
  const notes = [];
  for (const _ of asked) notes.push((await front.gateway.nextRecord()).notes);
  expect(notes).toEqual([[], [], ['access-rule:admin'], ['access-rule:admin'], [], ['access-rule:3']]);
});

matrix(
  'a WebSocket is let in or kept out like every other request',
  async (stage) => {
    const shop = await stage.origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await stage.gateway(
      forwardTo(shop, { listener: behindProxy, route: { access: { allow: ['10.0.0.0/8'] } } }),
    );
    const statuses: number[] = [];
    for (const address of ['192.0.2.7', '10.0.0.1']) {
      const client = await front.connectHttp1();
      client.write(handshake('/ws', `X-Forwarded-For: ${address}\r\n`));
      statuses.push((await client.expect().head()).status);
    }
    expect(statuses).toEqual([403, 101]);
    expect(shop.requests).toBe(1);
  },
  { without: HTTP1_ONLY },
);

matrix('a dry run lets everybody in, and the record says who would have been refused', async ({ gateway, origin }) => {
  const access = { deny: ['127.0.0.1'], dryRun: true };
  const front = await gateway(forwardTo(await origin(), { route: { access } }));
  expect((await front.send({})).status).toBe(200);
  expect((await front.gateway.nextRecord()).notes).toEqual(['address-denied:dry-run']);
});

matrix(
  'lists of groups and of the route add up, on a listener also where no route is',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const config = forwardTo(shop, {
      listener: { ...behindProxy, use: 'blocked' },
      route: { match: { path: '/shop' }, use: 'office', access: { deny: ['10.2.0.0/16'], allow: ['0.0.0.0/0'] } },
      rest: {
        policies: { blocked: { access: { deny: ['10.1.0.0/16'] } }, office: { access: { allow: ['10.0.0.0/8'] } } },
      },
    });
    const front = await gateway(config);
    const statuses: string[] = [];
    for (const address of ['10.1.1.1', '10.2.1.1', '192.0.2.7', '10.3.1.1']) {
      for (const path of ['/shop', '/nothing']) {
        statuses.push(`${address} ${path} ${(await front.send({ path, headers: from(address) })).status}`);
      }
    }
    expect(statuses).toEqual([
      ...['10.1.1.1 /shop 403', '10.1.1.1 /nothing 403', '10.2.1.1 /shop 403', '10.2.1.1 /nothing 404'],
      ...['192.0.2.7 /shop 403', '192.0.2.7 /nothing 404', '10.3.1.1 /shop 200', '10.3.1.1 /nothing 404'],
    ]);
    expect(shop.requests).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

test('clients on a Unix socket are unix:, and nobody else is', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'headgate-access-')), 'front.sock');
  stopAfterTest(() => rm(path, { force: true }));
  await startTestGateway({
    listeners: { web: { port: 0 }, local: { address: `unix:${path}` } },
    routes: [
      { match: { path: '/local' }, respond: {}, access: { allow: 'unix:' } },
      { match: { path: '/net' }, respond: {}, access: { allow: ['0.0.0.0/0', '::/0'] } },
    ],
  });
  const statuses = ['/local', '/net'].map(async (target) => {
    const reply = await exchangeRaw(
      { port: 0, path },
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    return reply.status;
  });
  expect(await Promise.all(statuses)).toEqual([200, 403]);
});

test('a list that changes is in force without a reload, and one that is broken is not, until it is mended', async () => {
  const file = await fileOf('10.0.0.0/8\n');
  const clock = new ManualClock();
  const config = {
    listeners: { web: { port: 0, ...behindProxy } },
    routes: [{ name: 'all', respond: {}, access: { deny: [{ file }, '192.0.2.7'] } }],
  };
  const gateway = await startTestGateway(config, { clock });
  const status = async (address: string): Promise<number> =>
    (await fetch(gateway.url(), { headers: { 'X-Forwarded-For': address } })).status;
  const statuses = async (): Promise<readonly number[]> => [
    await status('10.1.1.1'),
    await status('172.16.0.1'),
    await status('192.0.2.7'),
  ];
  expect(await statuses()).toEqual([403, 200, 403]);
  await replace(file, '# others\n172.16.0.0/12\n');
  await told(gateway, clock, 'file-changed');
  expect(await statuses()).toEqual([200, 403, 403]);
  await replace(file, '10.0.0.0/8\nnot a network\n');
  await told(gateway, clock, 'file-broken');
  expect(await statuses()).toEqual([200, 403, 403]);
  const states = (await (await fetch(`${gateway.gateway.adminUrl}/policies`)).json()) as readonly object[];
  expect(JSON.stringify(states)).toContain('line 2: \\"not a network\\" is not an IP address');
  // A reload for another reason changes nothing of it.
  await gateway.reload({
    ...config,
    routes: [...config.routes, { name: 'more', match: { path: '/more' }, respond: {} }],
  });
  expect(await statuses()).toEqual([200, 403, 403]);
  await replace(file, '10.0.0.0/8\n');
  await told(gateway, clock, 'file-changed', 2);
  expect(await statuses()).toEqual([403, 200, 403]);
});

test('a route whose list can’t be read answers 503 to everybody, and others serve', async () => {
  const gateway = await startTestGateway(
    {
      routes: [
        { match: { path: '/closed' }, respond: {}, access: { deny: { file: '/nowhere/list.txt' } } },
        { match: { path: '/open' }, respond: {} },
      ],
    },
    { tolerance: 'start' },
  );
  const statuses = ['/closed', '/open'].map(async (path) => (await fetch(gateway.url() + path)).status);
  expect(await Promise.all(statuses)).toEqual([503, 200]);
});

test('explain says what lets a request in, or keeps it out', async () => {
  const gateway = await startTestGateway({
    routes: [
      {
        respond: {},
        access: { allow: ['10.0.0.0/8', 'fd00::/8'], methods: 'GET', rules: [{ deny: {} }] },
        paths: { semicolon: 'refuse' },
        limits: { targetBytes: '2k', body: '1M' },
        guards: { mode: 'block', exclude: ['sql-comment'] },
      },
    ],
  });
  const asked = readQuestion({ url: `${gateway.url()}/x` });
  if (!asked.ok) throw new Error(asked.message);
  const { policies, outcome } = gateway.gateway.explain(asked.question) as ReturnType<
    typeof gateway.gateway.explain
  > & { readonly outcome: unknown };
  expect(policies.map(({ policy, words }) => `${policy}: ${words}`)).toEqual([
    'limits: body 1M, target 2k',
    'paths: refuse semicolon',
    'access: allow 10.0.0.0/8, fd00::/8 alone; methods GET; 1 rule',
    'guards: block; without sql-comment',
    'respond: 200 from the configuration',
  ]);
  expect(JSON.stringify(outcome)).toContain('address-denied');
});
