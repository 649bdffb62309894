import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verdictsOnContainers } from '../../../../src/upstream/discovery/containers.ts';

const RULES = { port: null, network: null, secure: false };

function container(more: object = {}): object {
  return {
    Id: '8dfafdbc3a40'.padEnd(64, '0'),
    Names: ['/web-1', '/proxy/web'],
    Labels: {},
    Ports: [{ PrivatePort: 3000, Type: 'tcp' }],
    State: 'running',
    Status: 'Up 5 minutes',
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: { bridge: { IPAddress: '172.17.0.2', GlobalIPv6Address: '' } } },
    ...more,
  };
}

test('a container is an endpoint at its address and port', () => {
  expect(verdictsOnContainers([container()], RULES)).toEqual([
    {
      name: 'web-1',
      endpoint: { address: { secure: false, host: '172.17.0.2', port: 3000 }, weight: 1, priority: 0 },
    },
  ]);
});

test('its labels say port, weight and priority; what can’t be one is passed over', () => {
  const labels = (Labels: object) => verdictsOnContainers([container({ Labels })], RULES)?.[0];
  expect(labels({ 'headgate.port': '81', 'headgate.weight': '0', 'headgate.priority': '2' })).toMatchObject({
    endpoint: { address: { port: 81 }, weight: 0, priority: 2 },
  });
  expect(labels({ 'headgate.port': '0', 'headgate.weight': '1001', 'headgate.priority': 'x' })).toMatchObject({
    endpoint: { address: { port: 3000 }, weight: 1, priority: 0 },
  });
});

test.each([
  ['by its text', { Status: 'Up 2 minutes (unhealthy)' }, 'unhealthy'],
  ['by its text while it starts', { Status: 'Up 2 seconds (health: starting)' }, 'starting'],
  ['by its own field (API 1.52)', { Health: { Status: 'unhealthy', FailingStreak: 3 } }, 'unhealthy'],
  ['by its own field while it starts', { Health: { Status: 'starting' } }, 'starting'],
  ['without a TCP port', { Ports: [{ PrivatePort: 53, Type: 'udp' }] }, 'no-port'],
  ['without a network', { NetworkSettings: { Networks: { none: { IPAddress: '' } } } }, 'no-address'],
])('a container that is out of service %s is left out', (_, more, leftOut) => {
  expect(verdictsOnContainers([container(more)], RULES)).toEqual([{ name: 'web-1', leftOut }]);
});

test('the address may be an IPv6 one, or that of the host', () => {
  const host = (more: object, network: string | null = null) =>
    verdictsOnContainers([container(more)], { ...RULES, network })?.[0];
  const six = { NetworkSettings: { Networks: { six: { IPAddress: '', GlobalIPv6Address: 'fd00::2' } } } };
  expect(host(six)).toMatchObject({ endpoint: { address: { host: 'fd00::2' } } });
  const own = { HostConfig: { NetworkMode: 'host' }, NetworkSettings: { Networks: { host: { IPAddress: '' } } } };
  expect(host(own)).toMatchObject({ endpoint: { address: { host: '127.0.0.1' } } });
  expect(host(own, 'host')).toMatchObject({ endpoint: { address: { host: '127.0.0.1' } } });
  expect(host(own, 'other')).toEqual({ name: 'web-1', leftOut: 'no-address' });
});

test('an answer that is no list is none, and no JSON makes it throw', () => {
  expect(verdictsOnContainers({ message: 'page not found' }, RULES)).toBeNull();
  expect(verdictsOnContainers([null, 3, {}], RULES)).toHaveLength(3);
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, inner) => {
      verdictsOnContainers(value, RULES);
      verdictsOnContainers([container({ Labels: inner, Ports: inner, NetworkSettings: inner, Names: value })], RULES);
    }),
    { seed: 4, numRuns: 300 },
  );
});
