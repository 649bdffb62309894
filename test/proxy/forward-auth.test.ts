import { expect } from 'vitest';
import { readQuestion } from '../../src/control/explain/question.ts';
import { forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, type Origin } from '../kit/origin.ts';
import type { Script } from '../kit/script.ts';

type Auth = Exclude<NonNullable<NonNullable<TestConfig['routes']>[number]['auth']>, false>;
type Forward = NonNullable<Auth['forward']>;
interface Port {
  readonly port: number;
}

function guarded(shop: Origin, service: Port, forward: Partial<Forward> = {}, auth: Partial<Auth> = {}): TestConfig {
  const url = `http://127.0.0.1:${service.port}/check?by=gateway`;
  return forwardTo(shop, { route: { auth: { forward: { url, ...forward }, ...auth } } });
}

/** How the next exchange ended, as the log has it. */
async function endOf(front: Front) {
  const { end, user, notes } = await front.gateway.nextRecord();
  return [end.reason, user, ...(notes ?? [])];
}

matrix('a service that says yes lets the request through, and the endpoint is told what it says', async (stage) => {
  const shop = await stage.origin();
  const yes = ['X-User', 'ada', 'X-Groups', 'a', 'X-Groups', 'b', 'X-Other', 'x', 'Set-Cookie', 's=1'];
  const service = await stage.origin({ script: [{ respond: 200, headers: yes }] });
  const responseHeaders = ['X-User', 'X-Groups', 'X-Empty'];
  const front = await stage.gateway(guarded(shop, service, { responseHeaders, userHeader: 'X-User' }));
  const sent = ['Authorization', 'Bearer abc', 'Cookie', 'c=1', 'x-user', 'root', 'X-Empty', 'root', 'X-Mine', 'm'];
  const reply = await front.send({ method: 'POST', path: '/a/%2e./b?x=1', headers: sent, body: 'upload' });
  expect([reply.status, reply.all('set-cookie')]).toEqual([200, []]);
  const received = await shop.complete();
  expect([received.all('x-user'), received.all('x-groups'), received.all('x-empty')]).toEqual([
    ['ada'],
    ['a', 'b'],
    [],
  ]);
  expect([received.header('x-other'), received.header('x-mine'), received.header('cookie')]).toEqual([
    null,
    'm',
    'c=1',
  ]);
  expect(received.text).toBe('upload');
  expect(await endOf(front)).toEqual(['complete', 'ada']);
  const asked = await service.complete();
  expect(asked.lines[0]).toBe('GET /check?by=gateway HTTP/1.1');
  expect([asked.header('authorization'), asked.header('cookie'), asked.header('x-mine')]).toEqual([
    'Bearer abc',
    'c=1',
    null,
  ]);
  expect([asked.header('x-forwarded-method'), asked.header('x-forwarded-uri')]).toEqual(['POST', '/b?x=1']);
  expect(asked.header('x-forwarded-for')).toBe('127.0.0.1');
  expect(asked.header('x-forwarded-proto')).toBe(new URL(front.gateway.url()).protocol.slice(0, -1));
  expect([asked.header('content-length'), asked.header('x-user'), asked.text]).toEqual([null, null, '']);
});

matrix(
  'a no is passed on with status, body, challenge and cookies, and costs no connection upstream',
  async (stage) => {
    const shop = await stage.origin();
    const headers = [
      'WWW-Authenticate',
      'Bearer',
      'Set-Cookie',
      'a=1',
      'Set-Cookie',
      'b=2',
      'X-Secret',
      's',
      'Server',
      'x',
    ];
    const service = await stage.origin({
      scripts: [
        [
          { respond: 403, headers: ['Content-Type', 'text/html', ...headers], body: '<p>no</p>' },
          { respond: 401, headers, body: '' },
        ],
      ],
    });
    const front = await stage.gateway(guarded(shop, service));
    const reply = await front.send({ headers: ['Authorization', 'Bearer abc'] });
    expect([reply.status, reply.header('content-type'), reply.text]).toEqual([403, 'text/html', '<p>no</p>']);
    expect([reply.all('set-cookie'), reply.header('www-authenticate')]).toEqual([['a=1', 'b=2'], 'Bearer']);
    expect([reply.header('x-secret'), reply.header('server')]).toEqual([null, null]);
    expect([reply.header('cache-control'), reply.header('proxy-status')]).toEqual([
      'no-store',
      'headgate; error=http_request_denied',
    ]);
    // Without a page of its own it gets ours.
    const bare = await front.send({});
    expect([bare.status, bare.header('www-authenticate'), bare.all('set-cookie')]).toEqual([
      401,
      'Bearer',
      ['a=1', 'b=2'],
    ]);
    expect(bare.text).toContain('auth-service-refused');
    expect([await endOf(front), await endOf(front)]).toEqual([
      ['auth-service-refused', null],
      ['auth-service-refused', null],
    ]);
    expect(shop.accepted).toBe(0);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a redirect to the login is passed on with its cookies',
  async (stage) => {
    const shop = await stage.origin();
    const to = ['Location', 'https://login.test/?rd=%2Fa', 'Set-Cookie', 'state=1'];
    const service = await stage.origin({ script: [{ respond: 302, headers: to, body: '' }] });
    const front = await stage.gateway(guarded(shop, service, { cache: '5s', cacheRefusals: true }));
    for (let i = 0; i < 2; i += 1) {
      const reply = await front.send({});
      expect([reply.status, reply.header('location'), reply.header('set-cookie')]).toEqual([302, to[1], 'state=1']);
    }
    // A cookie is for one of them alone.
    expect([service.requests, shop.accepted]).toEqual([2, 0]);
  },
  { without: ONE_PROTOCOL },
);

/** Where nobody has said yes or no. */
const SILENT: readonly (readonly [string, Script])[] = [
  ['answers 500', [{ respond: 500, headers: ['X-User', 'root'] }]],
  ['breaks off in its head', ['read head', { send: 'HTTP/1.1 200 OK\r\nX-User: ro' }, 'close']],
  [
    'breaks off in the body of a yes',
    ['read head', { send: 'HTTP/1.1 200 OK\r\nX-User: root\r\nContent-Length: 9\r\n\r\nab' }, 'close'],
  ],
  ['closes', ['read head', 'close']],
  ['speaks another protocol', ['read head', { send: 'SSH-2.0-OpenSSH_9.2\r\n' }, 'close']],
  [
    'switches protocols unasked',
    ['read head', { send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n' }, 'close'],
  ],
];

for (const [what, script] of SILENT) {
  matrix(
    `when the service ${what} it is 503, or lets everybody pass as nobody where that is wanted`,
    async (stage) => {
      const shop = await stage.origin();
      const service = await stage.origin({ script });
      const closed = await stage.gateway(guarded(shop, service, { responseHeaders: ['X-User'] }));
      const reply = await closed.send({});
      expect([reply.status, reply.header('retry-after'), shop.accepted]).toEqual([503, '1', 0]);
      expect(await endOf(closed)).toEqual(['auth-service-unavailable', null]);
      const open = await stage.gateway(guarded(shop, service, { responseHeaders: ['X-User'], failure: 'open' }));
      expect((await open.send({ headers: ['X-User', 'root'] })).status).toBe(200);
      expect([(await shop.request()).header('x-user'), await endOf(open)]).toEqual([
        null,
        ['complete', null, 'auth-service-unavailable'],
      ]);
    },
    { without: ONE_PROTOCOL },
  );
}

matrix(
  'a service that is not there is 503, and operators are told once',
  async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(guarded(shop, { port: await deadPort() }));
    expect([(await front.send({})).status, (await front.send({})).status, shop.accepted]).toEqual([503, 503, 0]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'what is neither yes nor no opens nothing, whatever the failure mode',
  async (stage) => {
    const shop = await stage.origin();
    const big = `X-User: ${'x'.repeat(9_000)}`;
    const service = await stage.origin({
      scripts: [
        ['respond 404', 'respond 429', { respond: 302 }, 'respond 304', 'close'],
        ['read head', { send: `HTTP/1.1 200 OK\r\n${big}\r\nContent-Length: 0\r\n\r\n` }],
      ],
    });
    const front = await stage.gateway(guarded(shop, service, { failure: 'open', responseHeaders: ['X-User'] }));
    for (let i = 0; i < 5; i += 1) {
      expect((await front.send({})).status).toBe(503);
      expect(await endOf(front)).toEqual(['auth-service-strange', null]);
    }
    expect(shop.accepted).toBe(0);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a no stays a no when its body breaks off or is longer than it may be, also where everybody may pass',
  async (stage) => {
    const shop = await stage.origin();
    const head = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 100000\r\n\r\n';
    const service = await stage.origin({
      scripts: [
        ['read head', { send: `${head}abc` }, 'close'],
        ['read head', { send: head }, { fill: 100_000 }],
      ],
    });
    const front = await stage.gateway(guarded(shop, service, { failure: 'open' }));
    expect([(await front.send({})).status, (await front.send({})).status, shop.accepted]).toEqual([403, 403, 0]);
    await service.idle();
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'connections to the service are kept, and a question on one that has died is asked again',
  async (stage) => {
    const shop = await stage.origin();
    const service = await stage.origin({
      scripts: [['respond 200', 'respond 200', 'read head', 'close'], ['respond 200']],
    });
    const front = await stage.gateway(guarded(shop, service));
    for (let i = 0; i < 3; i += 1) expect((await front.send({})).status).toBe(200);
    expect([service.accepted, service.requests]).toEqual([2, 4]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a service that hangs is given up in time, and so is the question of a client that leaves',
  async (stage) => {
    const shop = await stage.origin();
    const service = await stage.origin({ script: ['read head', 'silent'] });
    const clock = new ManualClock(Date.now());
    const front = await stage.gateway(guarded(shop, service), { clock });
    const leaver = await front.begin({ method: 'POST', headers: ['Content-Length', '5'] });
    await service.request();
    leaver.leave();
    expect(await endOf(front)).toEqual(['client-gone', null]);
    await service.idle();
    const patient = await front.begin({});
    await service.request(1);
    clock.advance(5_000);
    expect([(await patient.reply()).status, await endOf(front)]).toEqual([503, ['auth-service-unavailable', null]]);
    await service.idle();
    expect(shop.accepted).toBe(0);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'an answer is kept for exactly the question that it was given to, and no longer than it may be',
  async (stage) => {
    const shop = await stage.origin();
    const service = await stage.origin({
      script: [{ respond: 200, headers: ['X-User', 'ada', 'Cache-Control', 'max-age=3'] }],
    });
    const clock = new ManualClock(Date.now());
    const front = await stage.gateway(guarded(shop, service, { cache: '5s', responseHeaders: ['X-User'] }), { clock });
    const ask = async (path: string, cookie: string) => {
      expect((await front.send({ path, headers: ['Cookie', cookie] })).status).toBe(200);
      return service.requests;
    };
    expect([await ask('/a', 'u=1'), await ask('/a', 'u=1'), await ask('/b', 'u=1'), await ask('/a', 'u=2')]).toEqual([
      1, 1, 2, 3,
    ]);
    clock.advance(2_900);
    expect(await ask('/a', 'u=1')).toBe(3);
    clock.advance(200);
    expect(await ask('/a', 'u=1')).toBe(4);
    expect((await shop.request(1)).header('x-user')).toBe('ada');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'fields of the service can’t end their line, and hop-by-hop ones stay where they are',
  async (stage) => {
    const shop = await stage.origin();
    const answer =
      'HTTP/1.1 200 OK\r\nX-User: a\tb\u00ff \r\nX-Role: admin\r\nConnection: X-Role\r\nContent-Length: 0\r\n\r\n';
    const service = await stage.origin({ script: ['read head', { send: Buffer.from(answer, 'latin1') }] });
    const front = await stage.gateway(guarded(shop, service, { responseHeaders: ['X-User', 'X-Role'] }));
    expect((await front.send({ headers: ['X-Role', 'root'] })).status).toBe(200);
    const received = await shop.request();
    expect([received.all('x-user'), received.all('x-role')]).toEqual([['a\tb\u00ff'], []]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'what the service says can be required, and replaces the credentials of the client',
  async (stage) => {
    const shop = await stage.origin();
    const says = (group: string) => ({ respond: 200, headers: ['X-Group', group, 'Authorization', 'Bearer inner'] });
    const service = await stage.origin({ script: [says('staff'), says('guests')] });
    const forward = { responseHeaders: ['X-Group', 'Authorization'] };
    const front = await stage.gateway(guarded(shop, service, forward, { require: { claims: { 'X-Group': 'staff' } } }));
    const headers = ['Authorization', 'Bearer outer'];
    expect([(await front.send({ headers })).status, (await front.send({ headers })).status]).toEqual([200, 403]);
    expect((await shop.request()).all('authorization')).toEqual(['Bearer inner']);
    expect([await endOf(front), await endOf(front)]).toEqual([
      ['complete', null],
      ['claim-refused', null, 'claim-refused:X-Group'],
    ]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'who is refused is not asked for the upload, and whoever expects a 100 gets none',
  async (stage) => {
    const shop = await stage.origin();
    const service = await stage.origin({ script: ['respond 403'] });
    const front = await stage.gateway(guarded(shop, service));
    const exchange = await front.begin({ method: 'POST', headers: ['Expect', '100-continue'], length: 10 });
    const reply = await exchange.reply();
    expect([reply.status, reply.informational.length, shop.accepted]).toEqual([403, 0, 0]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a question that nobody sent asks nobody, and says who would be asked',
  async (stage) => {
    const shop = await stage.origin();
    const service = await stage.origin();
    const front = await stage.gateway(guarded(shop, service, {}, { require: { users: 'ada' } }));
    const asked = readQuestion({ method: 'GET', url: 'http://shop.test/a' });
    if (!asked.ok) throw new Error(asked.message);
    const explanation = front.gateway.gateway.explain(asked.question);
    expect(JSON.stringify(explanation)).toContain(`auth service http://127.0.0.1:${service.port}/check is asked first`);
    expect([explanation.outcome.kind, service.accepted, shop.accepted]).toEqual(['forward', 0, 0]);
  },
  { without: ONE_PROTOCOL },
);
