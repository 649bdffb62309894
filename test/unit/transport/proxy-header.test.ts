import { describe, expect, test } from 'vitest';
import type { Client } from '../../../src/exchange/exchange.ts';
import { proxyHeader } from '../../../src/transport/proxy-header.ts';

function client(address: string, localAddress: string, over: Partial<Client> = {}): Client {
  const ends = { address, peer: address, peerPort: 51_234, localAddress, localPort: 443 };
  return { ...ends, trusted: false, forwardedBy: 'forwarded', tls: null, ...over };
}

const SIGNATURE = '0d0a0d0a000d0a515549540a';

function hex(header: string): string {
  return Buffer.from(header, 'latin1').toString('hex');
}

describe('the PROXY header (proxy-protocol.txt §2.1, version 1)', () => {
  test.each([
    ['192.0.2.7', '198.51.100.1', 'PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n'],
    ['2001:db8::7', '2001:db8::1', 'PROXY TCP6 2001:db8::7 2001:db8::1 51234 443\r\n'],
    ['192.0.2.7', '2001:db8::1', 'PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 51234 443\r\n'],
    ['2001:db8::7', '198.51.100.1', 'PROXY TCP6 2001:db8::7 ::ffff:198.51.100.1 51234 443\r\n'],
    ['unix:', '198.51.100.1', 'PROXY UNKNOWN\r\n'],
    ['192.0.2.7', '', 'PROXY UNKNOWN\r\n'],
  ])('of %s that connected to %s', (from, to, header) => {
    expect(proxyHeader('v1', client(from, to))).toBe(header);
  });

  test('has port 0 for a client that a trusted proxy named, since nobody said its port', () => {
    const behind = client('203.0.113.9', '198.51.100.1', { peer: '192.0.2.7', trusted: true });
    expect(proxyHeader('v1', behind)).toBe('PROXY TCP4 203.0.113.9 198.51.100.1 0 443\r\n');
  });

  test('of a health check names nobody', () => {
    expect(proxyHeader('v1', null)).toBe('PROXY UNKNOWN\r\n');
  });
});

describe('the PROXY header (proxy-protocol.txt §2.2, version 2)', () => {
  test.each([
    ['192.0.2.7', '198.51.100.1', `2111000cc0000207c6336401c82201bb`],
    [
      '2001:db8::7',
      '2001:db8:1:2:3:4:5:6',
      '21210024 20010db8000000000000000000000007 20010db8000100020003000400050006 c82201bb',
    ],
    ['::', '::1', '21210024 00000000000000000000000000000000 00000000000000000000000000000001 c82201bb'],
    ['1::', '::1.2.3.4', '21210024 00010000000000000000000000000000 00000000000000000000000001020304 c82201bb'],
    ['192.0.2.7', '::1', '21210024 00000000000000000000ffffc0000207 00000000000000000000000000000001 c82201bb'],
    ['unix:', '', '21000000'],
  ])('of %s that connected to %s', (from, to, rest) => {
    expect(hex(proxyHeader('v2', client(from, to)))).toBe(SIGNATURE + rest.replaceAll(' ', ''));
  });

  test('of a health check says LOCAL', () => {
    expect(hex(proxyHeader('v2', null))).toBe(`${SIGNATURE}20000000`);
  });
});
