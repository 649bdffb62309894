import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileKey, type KeyExpression, type KeyOptions } from '../../../../src/policy/rate-limit/key.ts';
import { networkOf } from '../../../../src/policy/rate-limit/network.ts';
import { problemsOf, variables, working } from '../exchange-facts.ts';

const usual: KeyOptions = { ipv4Prefix: 32, ipv6Prefix: 64, withoutKey: 'skip' };

function key(
  texts: readonly string[],
  options: Partial<KeyOptions> = {},
  captures: readonly string[] = [],
): KeyExpression {
  return working(compileKey(texts, captures, { ...usual, ...options }));
}

function withHeaders(...headers: readonly string[]): ReturnType<typeof variables> {
  return variables({ request: { headers } });
}

describe('the network of an address', () => {
  test.each([
    ['192.0.2.7', 32, '192.0.2.7'],
    ['192.0.2.7', 24, '192.0.2.0/24'],
    ['203.0.113.255', 9, '203.0.0.0/9'],
    ['::ffff:192.0.2.7', 24, '192.0.2.0/24'],
    ['2001:db8:1:2:3:4:5:6', 64, '2001:db8:1:2/64'],
    ['2001:db8:1:2::1', 64, '2001:db8:1:2/64'],
    ['2001:db8::1', 64, '2001:db8:0:0/64'],
    ['::1', 64, '0:0:0:0/64'],
    ['fe80::1%eth0', 64, 'fe80:0:0:0/64'],
    ['2001:db8:1:ffff::1', 56, '2001:db8:1:ff00/56'],
    ['2001:db8:1:2:3:4:5:6', 128, '2001:db8:1:2:3:4:5:6/128'],
    ['unix:', 32, 'unix:'],
    ['', 32, ''],
    ['1:2:3', 64, '1:2:3'],
    ['1::2::3', 64, '1::2::3'],
    ['not an address', 8, 'not an address'],
    [':', 64, ':'],
    ['::', 64, '0:0:0:0/64'],
    ['1::', 32, '1:0/32'],
    ['1:2:3:4:5:6:7::', 128, '1:2:3:4:5:6:7:0/128'],
    ['::2:3:4:5:6:7:8', 128, '0:2:3:4:5:6:7:8/128'],
    ['1:2:3:4:5:6:7:8:9', 64, '1:2:3:4:5:6:7:8:9'],
    ['1:2:3:4::5:6:7:8', 64, '1:2:3:4::5:6:7:8'],
    ['1:2:3:4:5:6:7:', 64, '1:2:3:4:5:6:7:'],
    ['12345::', 64, '12345::'],
    ['1:g::', 64, '1:g::'],
    [':1::', 64, ':1::'],
    ['1:::2', 64, '1:::2'],
  ])('of %s with %i bits is %s', (address, bits, network) => {
    expect(networkOf(address, address.includes(':') && !address.includes('.') ? 32 : bits, bits)).toBe(network);
  });

  test('of every IPv6 address, however it is shortened, is its first groups (property)', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), fc.integer({ min: 1, max: 8 }), (all, count) => {
        const text = all.map((part) => part.toString(16)).join(':');
        const { address } = new SocketAddress({ address: text, family: 'ipv6' });
        fc.pre(!address.includes('.'));
        const network = all.slice(0, count).map((part) => part.toString(16));
        expect(networkOf(address, 32, count * 16)).toBe(`${network.join(':')}/${count * 16}`);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test('two addresses of one /64 are one client, of two are two', () => {
    const { of } = key(['{client.address}']);
    const from = (address: string): string | null => of(variables({ client: { address } }));
    expect(from('2001:db8:1:2::1')).toBe(from('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(from('2001:db8:1:2::1')).not.toBe(from('2001:db8:1:3::1'));
  });

  test('an address within a longer key is a network too', () => {
    const { of } = key(['{host}', '{client.address}'], { ipv4Prefix: 24 });
    const from = (address: string): string | null => of(variables({ client: { address } }));
    expect(from('192.0.2.7')).toBe(from('192.0.2.200'));
    expect(from('192.0.2.7')).not.toBe(from('192.0.3.7'));
  });
});

describe('keys', () => {
  test.each([
    [['{header.x-tag}'], 'one, two'],
    [['{cookie.session}'], 's3'],
    [['{route}'], 'shop'],
    [['{host}'], 'shop.test'],
    [['tenant {query.x}'], '1'],
    [[], ''],
  ])('%j is the value', (texts, value) => {
    expect(key(texts).of(variables())).toBe(value);
  });

  test('a request that lacks a part of the key has none', () => {
    expect(key(['{header.x-api-key}']).of(variables())).toBeNull();
    expect(key(['{client.address}', '{header.x-api-key}']).of(variables())).toBeNull();
  });

  test('requests that lack a part share a key where they shall', () => {
    const { of } = key(['{client.address}', '{header.x-api-key}'], { withoutKey: 'share' });
    const one = of(withHeaders('Host', 'a'));
    expect(one).not.toBeNull();
    expect(of(withHeaders('Host', 'b'))).toBe(one);
    expect(of(withHeaders('X-Api-Key', 'k'))).not.toBe(one);
  });

  test('no two requests with different parts have the same key (property)', () => {
    const { of } = key(['{header.a}', '{header.b}'], { withoutKey: 'share' });
    const tight = fc.string({ unit: fc.constantFrom('1', ':', '|', '0', ','), maxLength: 8 });
    fc.assert(
      fc.property(tight, tight, tight, tight, (a, b, c, d) => {
        const same = of(withHeaders('A', a, 'B', b)) === of(withHeaders('A', c, 'B', d));
        expect(same).toBe(a === c && b === d);
      }),
      { seed: 7, numRuns: 1_000 },
    );
  });

  test('the variables of one text are told apart as those of several', () => {
    const { of } = key(['{header.a}|{header.b}']);
    expect(of(withHeaders('A', 'x|y', 'B', 'z'))).not.toBe(of(withHeaders('A', 'x', 'B', 'y|z')));
  });

  test('a value of 16 KiB is a key of 65 characters, which no shorter value can be', () => {
    const { of } = key(['{header.a}']);
    const long = of(withHeaders('A', 'x'.repeat(16_384)));
    expect(long).toHaveLength(65);
    expect(of(withHeaders('A', 'x'.repeat(16_383)))).not.toBe(long);
    expect(of(withHeaders('A', long as string))).not.toBe(long);
  });

  test('octets beyond ASCII are different keys', () => {
    const { of } = key(['{header.a}']);
    expect(new Set(['\xe4', '\xe5', 'Ã¤', 'a'].map((value) => of(withHeaders('A', value)))).size).toBe(4);
  });

  test.each([
    [['{auth.user}'], true],
    [['{client.address}', '{claim.tenant}'], true],
    [['{jwt.sub}'], true],
    [['{client.address}', '{header.authorization}'], false],
  ])('%j needs to know who it is: %j', (texts, readsIdentity) => {
    expect(key(texts).readsIdentity).toBe(readsIdentity);
  });

  test('a user is a key', () => {
    const identity = {
      scheme: 'jwt',
      user: 'ann',
      claims: { tenant: 't1' },
      fields: [],
      removes: null,
      cookie: null,
    } as const;
    expect(key(['{auth.user}']).of(variables({ identity }))).toBe('ann');
    expect(key(['{claim.tenant}']).of(variables({ identity }))).toBe('t1');
    expect(key(['{auth.user}']).of(variables())).toBeNull();
  });

  test.each([
    [
      ['client.address'],
      [
        '0: "client.address" has no {variable}, and all requests would have the same key (did you mean "{client.address}"?); for that write key: []',
      ],
    ],
    [['{client.addres}'], ['0: unknown variable {client.addres} (did you mean {client.address}?)']],
    [['{host}', '{oops'], ['1: "{" without "}"; a literal brace is written "{{"']],
    [['{host}', ''], ['1: "" has no {variable}, and all requests would have the same key; for that write key: []']],
  ])('%j can’t be a key', (texts, problems) => {
    expect(problemsOf(compileKey(texts, [], usual))).toEqual(problems);
  });
});
