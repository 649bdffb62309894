import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, ClientAddresses, canonicalAddress, subscriberOf } from '../../../src/downstream/client-address.ts';
import type { Client } from '../../../src/exchange/exchange.ts';
import { forwardedElements } from '../../../src/http/forwarded-elements.ts';

function peer(address: string, trusted: boolean): Client {
  const local = { localAddress: '127.0.0.1', localPort: 8080 };
  return { address, peer: address, peerPort: 4711, trusted, forwardedBy: 'x-forwarded-for', ...local, tls: null };
}

const trustedProxies = ['10.0.0.0/8', 'fd00::/8', '192.0.2.7'];
const byXff = new ClientAddresses({ trustedProxies, forwardedBy: 'x-forwarded-for' });
const byForwarded = new ClientAddresses({ trustedProxies, forwardedBy: 'forwarded' });

function clientOf(addresses: ClientAddresses, from: string, ...headers: string[]): string {
  return addresses.forRequest(peer(from, addresses.isTrusted(from)), headers).address;
}

describe('who the client is', () => {
  test.each([
    ['a peer that is not trusted is the client, whatever it says', '203.0.113.9', '6.6.6.6', '203.0.113.9'],
    ['a trusted proxy names the client', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    [
      'read from the right: what a client put before is not believed',
      '10.0.0.1',
      '6.6.6.6, 198.51.100.1',
      '198.51.100.1',
    ],
    ['through two trusted proxies', '10.0.0.1', '6.6.6.6, 198.51.100.1, 10.2.3.4', '198.51.100.1'],
    ['all hops trusted: the leftmost', '10.0.0.1', '10.9.9.9, 10.2.3.4', '10.9.9.9'],
    [
      'text that is no address ends the chain at the last good hop',
      '10.0.0.1',
      '198.51.100.1, unknown, 10.2.3.4',
      '10.2.3.4',
    ],
    ['nothing but text: the peer', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['empty elements say nothing', '10.0.0.1', '198.51.100.1,, 10.2.3.4 ,', '198.51.100.1'],
    ['an empty field: the peer', '10.0.0.1', '', '10.0.0.1'],
    ['a leading zero is no address (010.1.2.3 is octal to some)', '10.0.0.1', '010.1.2.3', '10.0.0.1'],
    ['a port is cut off', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6', '10.0.0.1', '2001:db8::1', '2001:db8::1'],
    ['IPv6 in its canonical text', '10.0.0.1', '2001:0DB8::0:1', '2001:db8::1'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['IPv4-mapped IPv6 is the IPv4 address', '10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['a trusted IPv6 peer', 'fd00::1', '198.51.100.1', '198.51.100.1'],
    ['a trusted single address', '192.0.2.7', '198.51.100.1', '198.51.100.1'],
  ])('%s', (_name, from, field, client) => {
    expect(clientOf(byXff, from, 'X-Forwarded-For', field)).toBe(client);
  });

  test('several X-Forwarded-For lines are one list', () => {
    expect(clientOf(byXff, '10.0.0.1', 'X-Forwarded-For', '6.6.6.6', 'x-forwarded-for', '198.51.100.1, 10.0.0.2')).toBe(
      '198.51.100.1',
    );
  });

  test('only the one field that was chosen is read', () => {
    expect(clientOf(byXff, '10.0.0.1', 'Forwarded', 'for=198.51.100.1')).toBe('10.0.0.1');
    expect(clientOf(byForwarded, '10.0.0.1', 'X-Forwarded-For', '198.51.100.1')).toBe('10.0.0.1');
    expect(clientOf(byForwarded, '10.0.0.1', 'Forwarded', 'for=198.51.100.1')).toBe('198.51.100.1');
  });

  test('a chain is followed over 32 hops and no more', () => {
    const hops = `198.51.100.1, ${Array.from({ length: 40 }, (_, i) => `10.0.0.${i}`).join(', ')}`;
    expect(clientOf(byXff, '10.0.0.1', 'X-Forwarded-For', hops)).toBe('10.0.0.8');
  });

  test('a peer that is not trusted costs no object', () => {
    const connection = peer('203.0.113.9', false);
    expect(byXff.forRequest(connection, ['X-Forwarded-For', '6.6.6.6'])).toBe(connection);
  });

  test('whatever a stranger sends, the client is the stranger', () => {
    fc.assert(
      fc.property(fc.string(), (field) => {
        expect(clientOf(byXff, '203.0.113.9', 'X-Forwarded-For', field)).toBe('203.0.113.9');
      }),
    );
  });

  test('whatever comes before it, the rightmost untrusted hop is the client', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.ipV4().filter((ip) => !byXff.isTrusted(ip)),
        (garbage, ip) => {
          expect(clientOf(byXff, '10.0.0.1', 'X-Forwarded-For', `${garbage}, ${ip}`)).toBe(ip);
        },
      ),
    );
  });
});

describe('RFC 7239 §4: Forwarded', () => {
  test.each([
    ['one element', 'for=192.0.2.60;proto=http;by=203.0.113.43', ['192.0.2.60']],
    ['any case, blanks around', ' For = 192.0.2.60 , FOR=198.51.100.17', ['192.0.2.60', '198.51.100.17']],
    ['quoted IPv6 with a port', 'for="[2001:db8:cafe::17]:4711"', ['[2001:db8:cafe::17]:4711']],
    ['a comma inside quotes does not split', 'for="a,b", for=1.2.3.4', ['a,b', '1.2.3.4']],
    ['a quoted quote', 'for="a\\"b";by=x, for=c', ['a"b', 'c']],
    ['no for parameter', 'proto=https', ['']],
    ['two for parameters in one element are both ignored', 'for=1.1.1.1;for=2.2.2.2', ['']],
    ['an obfuscated name', 'for=_hidden, for=unknown', ['_hidden', 'unknown']],
    ['an open quote', 'for="1.2.3.4', ['']],
    ['empty elements', ',for=1.2.3.4, ,for=5.6.7.8,', ['1.2.3.4', '5.6.7.8']],
    ['an obfuscated port (§6.3)', 'for="192.0.2.43:_gazonk"', ['192.0.2.43:_gazonk']],
  ])('%s', (_name, field, hops) => {
    expect(forwardedElements(field).map((element) => element.for)).toEqual(hops);
  });

  test('an element that names nobody ends the chain', () => {
    expect(clientOf(byForwarded, '10.0.0.1', 'Forwarded', 'for=198.51.100.1, proto=https, for=10.0.0.2')).toBe(
      '10.0.0.2',
    );
  });
});

describe('addresses', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    [' 1.2.3.4 ', '1.2.3.4'],
    ['1.2.3.4:80', '1.2.3.4'],
    ['1.2.3.4:_hidden', '1.2.3.4'],
    ['[2001:DB8:0::1]:_hidden', '2001:db8::1'],
    ['1.2.3.4:_', null],
    ['[::1]', '::1'],
    ['[::1]:80', '::1'],
    ['::1', '::1'],
    ['1.2.3.4:', null],
    ['1.2.3.4:http', null],
    ['[::1', null],
    ['[1.2.3.4]', null],
    ['256.1.1.1', null],
    ['example.test', null],
    ['', null],
  ])('%j is %j', (text, address) => {
    expect(addressOf(text)).toBe(address);
  });

  test.each([
    ['::FFFF:1.2.3.4', '1.2.3.4'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8:0000:0001::', '2001:db8:0:1::'],
    ['::ffff:c633:6401', '198.51.100.1'],
    ['1::2:3:4:5:6:7%1', '1:0:2:3:4:5:6:7'],
    ['unix:', 'unix:'],
    ['', ''],
  ])('%j in canonical form is %j', (text, address) => {
    expect(canonicalAddress(text)).toBe(address);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::', 'fe80:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
    ['', ''],
  ])('connections of %j are counted for %j', (address, subscriber) => {
    expect(subscriberOf(address)).toBe(subscriber);
  });

  test.each([['10.0.0.0/33'], ['10.0.0.0/-1'], ['fd00::/129'], ['example.test'], ['10.0.0.0/8/8'], ['']])(
    'a list with %j is refused',
    (entry) => {
      expect(() => new ClientAddresses({ trustedProxies: [entry], forwardedBy: 'forwarded' })).toThrow(RangeError);
    },
  );
});
