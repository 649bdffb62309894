import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readIp } from '../../../../src/policy/access/ip-text.ts';
import { parseNetworkList } from '../../../../src/policy/access/network-list.ts';
import { NetworkSetDraft } from '../../../../src/policy/access/network-set.ts';
import { containsNetwork, type Network, parseNetwork } from '../../../../src/routing/client-list.ts';

function setOf(...entries: string[]) {
  const draft = new NetworkSetDraft();
  const problems = entries.map((entry) => draft.add(entry)).filter((problem) => problem !== null);
  expect(problems).toEqual([]);
  return draft.built();
}

function networkOf(text: string): Network {
  const result = parseNetwork(text);
  if (!result.ok) throw new Error(result.message);
  return result.network;
}

describe('a set of networks', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.200.0.1', true],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['192.0.2.7/32', '192.0.2.7', true],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '::1', true],
    ['::/0', '10.0.0.1', false],
    ['fd00::/8', 'fdff:ffff::1', true],
    ['fd00::/8', 'fe00::', false],
    ['2001:db8::/33', '2001:db8:7fff:ffff::1', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::7', '2001:db8::7', true],
    ['2001:db8::7', '2001:db8::8', false],
    ['unix:', 'unix:', true],
    ['10.0.0.0/8', 'unix:', false],
    ['0.0.0.0/0', '', false],
    ['::/0', 'fe80::1%eth0', false],
  ])('%s and a client %s: %s', (entry, address, expected) => {
    expect(setOf(entry).holds(address)).toBe(expected);
  });

  test('overlapping entries are one range, those that are apart are not', () => {
    const set = setOf('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '12.0.0.0/8', '10.1.2.3');
    expect(set.size).toBe(2);
    expect(['10.1.2.3', '10.9.9.9', '11.0.0.1', '12.1.1.1'].map((address) => set.holds(address))).toEqual([
      ...[true, true, false, true],
    ]);
  });

  test.each([
    ['example.test', '"example.test" is not an IP address'],
    ['', '"" is not an IP address'],
    ['10.0.0', '"10.0.0" is not an IP address'],
    ['10.0.0.256', '"10.0.0.256" is not an IP address'],
    ['010.0.0.1', '"010.0.0.1" is not an IP address'],
    ['10.0.0.0/33', '"10.0.0.0/33" needs a prefix length from 0 to 32 after the "/"'],
    ['10.0.0.0/', '"10.0.0.0/" needs a prefix length from 0 to 32 after the "/"'],
    ['10.0.0.0/08', '"10.0.0.0/08" needs a prefix length from 0 to 32 after the "/"'],
    ['fd00::/129', '"fd00::/129" needs a prefix length from 0 to 128 after the "/"'],
    ['::ffff:10.0.0.1', '"::ffff:10.0.0.1" is IPv4 in IPv6 notation: write the IPv4 network'],
    ['fe80::1%eth0', '"fe80::1%eth0" is not an IP address'],
    ['1::2::3', '"1::2::3" is not an IP address'],
    [`${'x'.repeat(300)}\u0000`, `"${'x'.repeat(60)}…" is not an IP address`],
  ])('refuses %j', (entry, problem) => {
    expect(new NetworkSetDraft().add(entry)).toBe(problem);
  });
});

const v4 = fc.ipV4();
const v6 = fc.ipV6();
const networks = fc.oneof(
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([base, length]) => `${base}/${length}`),
  fc.tuple(v6, fc.integer({ min: 0, max: 128 })).map(([base, length]) => `${base}/${length}`),
  // Near each other, where borders meet.
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 22, max: 32 }))
    .map(([octet, length]) => `192.0.2.${octet}/${length}`),
  fc
    .tuple(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 108, max: 128 }))
    .map(([group, length]) => `2001:db8::${group.toString(16)}/${length}`),
);
const addresses = fc.oneof(
  v4,
  v6,
  fc.integer({ min: 0, max: 255 }).map((octet) => `192.0.2.${octet}`),
  fc.integer({ min: 0, max: 0xffff }).map((group) => `2001:db8::${group.toString(16)}`),
);

test('a set agrees with looking at one network after the other', () => {
  const property = fc.property(
    fc.array(networks, { maxLength: 40 }),
    fc.array(addresses, { minLength: 1, maxLength: 20 }),
    (entries, clients) => {
      const usable = entries.filter((entry) => parseNetwork(entry).ok);
      const set = setOf(...usable);
      for (const client of clients) {
        const result = parseNetwork(client);
        if (!result.ok) continue;
        const expected = usable.some((entry) => containsNetwork(networkOf(entry), result.network));
        expect(set.holds(client), client).toBe(expected);
      }
    },
  );
  fc.assert(property, { seed: 7, numRuns: 300 });
});

test('what is an address is agreed upon with Node.js, but for zones', () => {
  const doubtful = fc.oneof(
    v4,
    v6,
    fc.string({ unit: fc.constantFrom('0', '1', '25', '9', 'a', 'f', ':', '::', '.', ' '), maxLength: 16 }),
  );
  const into = new Uint32Array(4);
  fc.assert(
    fc.property(doubtful, (text) => {
      expect(readIp(text, 0, text.length, into)).toBe(isIP(text));
    }),
    { seed: 11, numRuns: 3_000 },
  );
});

describe('a file of networks', () => {
  test('has one entry a line, comments, empty lines, and any kind of line ends', () => {
    const text = '\ufeff# office\r\n\r\n  10.0.0.0/8  # all of it\n1.10.16.0/20 ; SBL256894\n\t2001:db8::/32\n;\nunix:';
    const set = parseNetworkList(Buffer.from(text));
    const clients = ['10.1.1.1', '1.10.31.255', '2001:db8::1', 'unix:', '1.10.32.0'];
    expect(clients.map((client) => set.holds(client))).toEqual([true, true, true, true, false]);
    expect(set.size).toBe(4);
  });

  test('may be empty', () => {
    expect(parseNetworkList(Buffer.alloc(0)).size).toBe(0);
  });

  test.each([
    ['10.0.0.1\n\nnonsense\n', 'line 3: "nonsense" is not an IP address'],
    ['10.0.0.1 10.0.0.2', 'line 1: "10.0.0.1 10.0.0.2" is not an IP address'],
    ['deny 10.0.0.1;', 'line 1: "deny 10.0.0.1" is not an IP address'],
    ['\xff\xfe1\x000\x00', 'line 1: "????1?0?" is not an IP address'],
  ])('that holds %j is refused with the line', (text, message) => {
    expect(() => parseNetworkList(Buffer.from(text))).toThrow(message);
  });

  test('of 100 000 networks, each of which is found again', () => {
    const entries = Array.from({ length: 100_000 }, (_, i) => {
      const scattered = Math.imul(i, 2_654_435_761) >>> 0;
      const octets = [scattered >>> 24, (scattered >>> 16) & 0xff, (scattered >>> 8) & 0xff, scattered & 0xff];
      return i % 2 === 0 ? octets.join('.') : `2001:db8:${(i >>> 8).toString(16)}:${(i & 0xff).toString(16)}::/64`;
    });
    const set = parseNetworkList(Buffer.from(entries.join('\n')));
    expect(set.size).toBe(100_000);
    const missing = entries.filter((entry) => !set.holds(entry.replace('::/64', '::17')));
    expect(missing).toEqual([]);
    expect(set.holds('2001:db9::1')).toBe(false);
  });
});
