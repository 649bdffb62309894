import { expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { askedAgain, hostsOf, originsAtOnePort, troubleOf, untilHosts, visit } from '../kit/discovery.ts';
import { type DnsRecord, type DnsServer, dnsServer } from '../kit/dns-server.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { deadPort, type Origin, origin } from '../kit/origin.ts';
import type { RawResponse } from '../kit/raw-response.ts';

type Pool = NonNullable<TestConfig['pools']>[string];

function at(...hosts: readonly (string | number)[]): DnsRecord[] {
  const ttl = hosts.find((host) => typeof host === 'number') ?? 5;
  return hosts.flatMap((host) => (typeof host === 'string' ? [{ address: host, ttl }] : []));
}

/** Everything goes to `api.test`, which `dns` resolves. */
function byName(dns: DnsServer, port: number, more: Partial<Pool> & { dns?: TestConfig['dns'] } = {}): TestConfig {
  const { dns: options, ...pool } = more;
  return {
    dns: { resolvers: dns.address, ...options },
    pools: { shop: { endpoints: [`api.test:${port}`], ...pool } },
    routes: [{ name: 'all', pool: 'shop' }],
  };
}

test('each address of a name is an endpoint of its own, there when the first request comes', async () => {
  const origins = await originsAtOnePort(3);
  const dns = await dnsServer({ 'api.test': at('127.0.0.4', '127.0.0.2', '127.0.0.3') });
  const gateway = await startTestGateway(byName(dns, (origins[0] as Origin).port));
  expect(hostsOf(gateway)).toEqual(['127.0.0.2', '127.0.0.3', '127.0.0.4']);
  for (let i = 0; i < 6; i += 1) expect((await visit(gateway)).status).toBe(200);
  expect(origins.map(({ requests }) => requests)).toEqual([2, 2, 2]);
});

test('the name stays what Host and TLS go by', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const gateway = await startTestGateway(byName(dns, shop.port, { host: 'endpoint' }));
  expect((await visit(gateway)).status).toBe(200);
  expect((await shop.request()).header('host')).toBe(`api.test:${shop.port}`);
  expect(gateway.status().pools[0]?.endpoints).toMatchObject([{ name: 'api.test' }]);
});

test('a name that does not resolve keeps nothing from starting, is 503, and heals by itself', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const dns = await dnsServer();
  const clock = new ManualClock();
  const config = byName(dns, shop.port);
  const gateway = await startTestGateway(
    {
      ...config,
      pools: { ...config.pools, other: { endpoints: [`127.0.0.2:${shop.port}`] } },
      routes: [{ name: 'other', match: { path: '/other' }, pool: 'other' }, ...(config.routes ?? [])],
    },
    { clock },
  );
  const refused = await visit(gateway);
  expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=dns_error']);
  expect((await gateway.nextRecord()).end).toMatchObject({ side: 'upstream', reason: 'name-not-resolved' });
  expect(troubleOf(gateway)).toBe('no-such-name');
  expect((await visit(gateway, '/other')).status).toBe(200);
  dns.set('api.test', at('127.0.0.2'));
  clock.advance(1_000);
  await untilHosts(gateway, ['127.0.0.2']);
  expect((await visit(gateway)).status).toBe(200);
  expect(troubleOf(gateway)).toBeNull();
});

test('a name server that says nothing holds up the start for a moment only, and its pool is 503', async () => {
  const port = await deadPort();
  const dns = await dnsServer({ 'api.test': 'silent' });
  const gateway = await startTestGateway(byName(dns, port));
  const refused = await visit(gateway);
  expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=destination_unavailable']);
  expect((await gateway.nextRecord()).end.reason).toBe('discovery-pending');
});

test('addresses that come and go under load cost no request', async () => {
  const origins = await originsAtOnePort(4);
  const dns = await dnsServer({ 'api.test': at('127.0.0.2', '127.0.0.3') });
  const clock = new ManualClock();
  const gateway = await startTestGateway(byName(dns, (origins[0] as Origin).port), { clock });
  let loading = true;
  const statuses: number[] = [];
  const load = Array.from({ length: 4 }, async () => {
    while (loading) statuses.push((await visit(gateway)).status);
  });
  for (const hosts of [
    ['127.0.0.3', '127.0.0.4'],
    ['127.0.0.4', '127.0.0.5'],
    ['127.0.0.2'],
    ['127.0.0.2', '127.0.0.5'],
  ]) {
    dns.set('api.test', at(...hosts));
    clock.advance(5_500);
    await untilHosts(gateway, hosts);
    const served = statuses.length;
    await until(() => statuses.length > served + 10, 'some more requests to be served');
  }
  loading = false;
  await Promise.all(load);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  expect(origins.every(({ requests }) => requests > 0)).toBe(true);
});

test('a removed endpoint finishes what it has begun, and its idle connections close', async () => {
  const release = Promise.withResolvers<void>();
  const slow = await origin({
    host: '127.0.0.2',
    scripts: [['read head', { wait: release.promise }, 'respond 200'], ['respond 200']],
  });
  const other = await origin({ host: '127.0.0.3', port: slow.port });
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const clock = new ManualClock();
  const gateway = await startTestGateway(byName(dns, slow.port), { clock });
  const begun = visit(gateway);
  await slow.request();
  await visit(gateway);
  expect(slow.openConnections).toBe(2);
  dns.set('api.test', at('127.0.0.3'));
  clock.advance(5_500);
  await untilHosts(gateway, ['127.0.0.3']);
  await slow.closed(1);
  expect((await visit(gateway)).status).toBe(200);
  expect(other.requests).toBe(1);
  release.resolve();
  expect((await begun).status).toBe(200);
  await slow.idle();
});

test('an answer is asked for again when its TTL is over, within the bounds', async () => {
  const dns = await dnsServer({ 'api.test': at('127.0.0.2', 10) });
  const clock = new ManualClock();
  const options = { family: 4, refresh: { min: '2s', max: '20s' } } as const;
  const gateway = await startTestGateway(byName(dns, 3000, { dns: options }), { clock });
  // Each one is used for its TTL and up to a tenth more.
  for (const [holdsMs, ttl] of [
    [10_000, 0],
    [2_000, 3_600],
    [20_000, 5],
    [5_000, 5],
  ] as const) {
    const before = dns.count('api.test');
    dns.set('api.test', at(`127.0.0.${before + 2}`, ttl));
    clock.advance(holdsMs - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(dns.count('api.test')).toBe(before);
    await askedAgain(gateway, clock, holdsMs / 10 + 1);
    await untilHosts(gateway, [`127.0.0.${before + 2}`]);
  }
});

test('while name servers fail the last addresses stay in use, for ever unless told otherwise', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const clock = new ManualClock();
  const gateway = await startTestGateway(byName(dns, shop.port, { dns: { family: 4 } }), { clock });
  dns.set('api.test', 'servfail');
  for (let hour = 0; hour < 5; hour += 1) await askedAgain(gateway, clock, 3_600_000);
  expect(troubleOf(gateway)).toBe('dns-server-failure');
  expect((await visit(gateway)).status).toBe(200);
});

test('with a bound they are given up after it', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const clock = new ManualClock();
  const config = byName(dns, shop.port, { dns: { stale: '10s', family: 4 } });
  const gateway = await startTestGateway(config, { clock });
  dns.set('api.test', 'servfail');
  await askedAgain(gateway, clock, 5_500);
  expect([troubleOf(gateway), ...hostsOf(gateway)]).toEqual(['dns-server-failure', '127.0.0.2']);
  await askedAgain(gateway, clock, 4_499);
  expect((await visit(gateway)).status).toBe(200);
  await askedAgain(gateway, clock, 1);
  expect((await visit(gateway)).status).toBe(503);
});

test('a name that has gone keeps its addresses for a while, in case that was a slip', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const clock = new ManualClock();
  const gateway = await startTestGateway(byName(dns, shop.port, { dns: { family: 4 } }), { clock });
  dns.set('api.test', 'nxdomain');
  await askedAgain(gateway, clock, 5_500);
  await askedAgain(gateway, clock, 29_999);
  expect(troubleOf(gateway)).toBe('no-such-name');
  expect((await visit(gateway)).status).toBe(200);
  await askedAgain(gateway, clock, 1);
  const refused = await visit(gateway);
  expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=dns_error']);
});

test('an answer that does not fit into a datagram is asked for over TCP', async () => {
  const many = Array.from({ length: 60 }, (_, i) => `127.0.1.${i + 1}`);
  const dns = await dnsServer({ 'api.test': { truncated: at(...many) } });
  const gateway = await startTestGateway(byName(dns, 3000));
  expect(hostsOf(gateway)).toEqual([...many].sort());
  expect(dns.asked).toContain('api.test A tcp');
});

test('addresses of both families are used, unless one is asked for', async () => {
  const dns = await dnsServer({ 'api.test': at('127.0.0.2', '::1') });
  const both = await startTestGateway(byName(dns, 3000));
  await untilHosts(both, ['127.0.0.2', '[::1]']);
  const six = await startTestGateway(byName(dns, 3000, { dns: { family: 6 } }));
  await untilHosts(six, ['[::1]']);
  const four = await startTestGateway(byName(dns, 3000, { dns: { family: 4 } }));
  await untilHosts(four, ['127.0.0.2']);
});

test('a name server that is silent about one family does not hold up the other', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  dns.set('api.test', 'silent', 'AAAA');
  const gateway = await startTestGateway(byName(dns, shop.port));
  expect((await visit(gateway)).status).toBe(200);
  expect(troubleOf(gateway)).toBeNull();
});

test('an alias leads to the addresses behind it', async () => {
  const dns = await dnsServer({ 'api.test': [{ alias: 'real.test', ttl: 5 }, ...at('127.0.0.2')] });
  const gateway = await startTestGateway(byName(dns, 3000));
  expect(hostsOf(gateway)).toEqual(['127.0.0.2']);
});

test('pools that ask for the same name ask once, and one with its own name servers asks there', async () => {
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const own = await dnsServer({ 'api.test': at('127.0.0.9') });
  const gateway = await startTestGateway({
    dns: { resolvers: [dns.address], family: 4 },
    pools: {
      shop: { endpoints: ['api.test:3000'] },
      twin: { endpoints: ['http://api.test:4000'] },
      own: { discover: { dns: 'api.test:3000', resolvers: own.address } },
    },
    routes: [],
  });
  await untilHosts(gateway, ['127.0.0.2']);
  await untilHosts(gateway, ['127.0.0.2'], 'twin');
  await untilHosts(gateway, ['127.0.0.9'], 'own');
  expect([dns.asked, own.asked]).toEqual([['api.test A'], ['api.test A']]);
});

test('metrics count what was found and what failed; an endpoint that has gone leaves none behind', async () => {
  const dns = await dnsServer({ 'api.test': at('127.0.0.2', '127.0.0.3') });
  const clock = new ManualClock();
  const health = { type: 'tcp', interval: '1h' } as const;
  const gateway = await startTestGateway(byName(dns, 3000, { dns: { family: 4 }, health }), { clock });
  const lines = async () => (await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text()).split('\n');
  expect(await lines()).toContain('headgate_pool_discovered_endpoints{pool="shop"} 2');
  await until(() => gateway.status().pools[0]?.endpoints.every(({ check }) => check?.last !== null) ?? false, 'checks');
  const isCounted = async (host: string) =>
    (await lines()).some((line) => line.startsWith('headgate_endpoint_checks_total') && line.includes(host));
  expect([await isCounted('127.0.0.2'), await isCounted('127.0.0.3')]).toEqual([true, true]);
  dns.set('api.test', at('127.0.0.3'));
  await askedAgain(gateway, clock, 5_500);
  expect([await isCounted('127.0.0.2'), await isCounted('127.0.0.3')]).toEqual([false, true]);
  dns.set('api.test', 'servfail');
  await askedAgain(gateway, clock, 5_500);
  const failures = 'headgate_pool_discovery_failures_total{pool="shop",reason="dns-server-failure"} 1';
  expect(await lines()).toContain(failures);
});

test('localhost is one endpoint, and asks nobody', async () => {
  const shop = await origin();
  const dns = await dnsServer();
  const gateway = await startTestGateway(byName(dns, shop.port, { endpoints: [`localhost:${shop.port}`] }));
  expect(hostsOf(gateway)).toEqual(['localhost']);
  expect((await visit(gateway)).status).toBe(200);
  expect(dns.asked).toEqual([]);
});

test('SRV records give host, port, priority and weight; the lowest weight is a small share', async () => {
  const big = await origin({ host: '127.0.0.2' });
  const small = await origin({ host: '127.0.0.3' });
  const dns = await dnsServer({
    '_http._tcp.api.test': [
      { target: 'big.api.test', port: big.port, priority: 10, weight: 3, ttl: 5 },
      { target: 'small.api.test', port: small.port, priority: 10, weight: 0, ttl: 5 },
    ],
    'big.api.test': at('127.0.0.2'),
    'small.api.test': at('127.0.0.3'),
  });
  const config = byName(dns, 1);
  const gateway = await startTestGateway({ ...config, pools: { shop: { discover: { srv: '_http._tcp.api.test' } } } });
  await untilHosts(gateway, ['127.0.0.2', '127.0.0.3']);
  for (let i = 0; i < 8; i += 1) expect((await visit(gateway)).status).toBe(200);
  expect([big.requests, small.requests]).toEqual([6, 2]);
});

test('a session stays while other endpoints come, and moves when its own has gone', async () => {
  const origins = await originsAtOnePort(2);
  const [first, second] = origins as [Origin, Origin];
  const dns = await dnsServer({ 'api.test': at('127.0.0.2') });
  const clock = new ManualClock();
  const gateway = await startTestGateway(byName(dns, first.port, { affinity: {}, dns: { family: 4 } }), { clock });
  const cookie = cookieOf(await visit(gateway));
  dns.set('api.test', at('127.0.0.2', '127.0.0.3'));
  await askedAgain(gateway, clock, 5_500);
  for (let i = 0; i < 4; i += 1) expect(cookieOf(await visit(gateway, '/', ['Cookie', cookie]))).toBe('');
  expect([first.requests, second.requests]).toEqual([5, 0]);
  dns.set('api.test', at('127.0.0.3'));
  await askedAgain(gateway, clock, 5_500);
  const moved = await visit(gateway, '/', ['Cookie', cookie]);
  expect([moved.status, cookieOf(moved) === cookie, second.requests]).toEqual([200, false, 1]);
});

function cookieOf(response: RawResponse): string {
  return response.header('set-cookie')?.split(';')[0] ?? '';
}
