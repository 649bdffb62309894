import { expect, test } from 'vitest';
import { type OwnFamilies, reachableAmong } from '../../../../src/upstream/discovery/reachable.ts';

const ALL = ['127.0.0.1', '192.0.2.1', '2001:db8::1', '::1', 'FD00::1', 'fe80::1'];

test.each<[string, OwnFamilies, readonly string[]]>([
  ['both families', { ipv4: true, ipv6: 'global' }, ['127.0.0.1', '192.0.2.1', '2001:db8::1', '::1', 'FD00::1']],
  ['IPv4 alone', { ipv4: true, ipv6: 'none' }, ['127.0.0.1', '192.0.2.1', '::1']],
  ['IPv6 alone', { ipv4: false, ipv6: 'global' }, ['127.0.0.1', '2001:db8::1', '::1', 'FD00::1']],
  ['IPv4 and unique local IPv6', { ipv4: true, ipv6: 'local' }, ['127.0.0.1', '192.0.2.1', '::1', 'FD00::1']],
  ['nothing but loopback', { ipv4: false, ipv6: 'none' }, ['127.0.0.1', '::1']],
])('a machine with %s uses the addresses that it can reach', (_, own, expected) => {
  expect(reachableAmong(ALL, own)).toEqual(expected);
});

test('addresses that seem to be out of reach are better than none', () => {
  expect(reachableAmong(['2001:db8::1'], { ipv4: true, ipv6: 'none' })).toEqual(['2001:db8::1']);
});
