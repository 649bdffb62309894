import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalAddress } from '../../../src/downstream/client-address.ts';
import { crc32c } from '../../../src/downstream/proxy-protocol/crc32c.ts';
import { parseProxyHeader } from '../../../src/downstream/proxy-protocol/header.ts';
import type { Client } from '../../../src/exchange/exchange.ts';
import { proxyHeader } from '../../../src/transport/proxy-header.ts';
import { headerV2, PROXIED_V2, vector } from '../../kit/proxy-protocol.ts';

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function refusal(header: Uint8Array): string {
  const parsed = parseProxyHeader(header);
  return parsed.kind === 'refused' ? parsed.reason : parsed.kind;
}

function relayed(from: string, fromPort: number, to: string, toPort: number, tls: object | null = null): object {
  const [source, destination] = [
    { address: from, port: fromPort },
    { address: to, port: toPort },
  ];
  return { kind: 'relayed', source, destination, tls };
}

describe('a text header (proxy-protocol.txt §2.1)', () => {
  test.each([
    ['PROXY TCP4 192.0.2.7 198.51.100.1 51234 443\r\n', relayed('192.0.2.7', 51_234, '198.51.100.1', 443)],
    ['PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n', relayed('255.255.255.255', 65_535, '0.0.0.0', 0)],
    ['PROXY TCP6 2001:db8::7 ::1 1 2\r\n', relayed('2001:db8::7', 1, '::1', 2)],
    [
      'PROXY TCP6 2001:DB8:0:0:0:0:0:7 ::ffff:192.0.2.1 1 2\r\n',
      relayed('2001:DB8:0:0:0:0:0:7', 1, '::ffff:192.0.2.1', 2),
    ],
    ['PROXY UNKNOWN\r\n', { kind: 'local' }],
    ['PROXY UNKNOWN ffff::1 whatever 0\r\n', { kind: 'local' }],
  ])('%j', (line, header) => {
    expect(parseProxyHeader(bytes(line))).toEqual({ kind: 'header', header, length: line.length });
    expect(parseProxyHeader(bytes(`${line}\r\nGET / HTTP/1.1\r\n`))).toMatchObject({ header, length: line.length });
  });

  test.each([
    ['GET / HTTP/1.1\r\n', 'missing'],
    ['PROXX', 'missing'],
    ['proxy TCP4', 'missing'],
    ['\x16\x03\x01', 'missing'],
    [' PROXY UNKNOWN\r\n', 'missing'],
    ['PROXY\tUNKNOWN\r\n', 'missing'],
    ['PROXY UNKNOWN\n', 'malformed'],
    ['PROXY UNKNOWN\rx', 'malformed'],
    ['PROXY UNKNOWN\r\r\n', 'malformed'],
    ['PROXY UNKNOWNS\r\n', 'malformed'],
    ['PROXY \r\n', 'malformed'],
    ['PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 0xc0000207 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 ::1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 ::1 ::1 1 2\r\n', 'malformed'],
    ['PROXY TCP6 192.0.2.7 ::1 1 2\r\n', 'malformed'],
    ['PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n', 'malformed'],
    ['PROXY TCP6 [::1] ::1 1 2\r\n', 'malformed'],
    ['PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n', 'malformed'],
    ['PROXY TCP4 192.0.2.7 198.51.100.1 1 2\0\r\n', 'malformed'],
    [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, 'too-long'],
    [`PROXY ${'x'.repeat(500)}`, 'too-long'],
  ])('%j is refused: %s', (line, reason) => {
    expect(refusal(bytes(line))).toBe(`proxy-header-${reason}`);
  });

  test('takes 107 bytes, its end included, and not one more', () => {
    const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
    expect(longest.length).toBe(107);
    expect(refusal(bytes(longest))).toBe('header');
    expect(refusal(bytes(longest.slice(0, 106)))).toBe('more');
    expect(refusal(bytes(longest.replace('\r\n', 'x\r')))).toBe('proxy-header-too-long');
  });
});

describe('a binary header (proxy-protocol.txt §2.2)', () => {
  const v4 = Buffer.from('c0000207c6336401c82201bb', 'hex');
  const v6 = Buffer.from('20010db800000000000000000000000700000000000000000000ffffc6336401c82201bb', 'hex');

  test.each([
    ['TCP over IPv4', headerV2(0x21, 0x11, v4), relayed('192.0.2.7', 51_234, '198.51.100.1', 443)],
    [
      'TCP over IPv6',
      headerV2(0x21, 0x21, v6),
      relayed('2001:db8:0:0:0:0:0:7', 51_234, '0:0:0:0:0:ffff:c633:6401', 443),
    ],
    [
      'a Unix socket',
      headerV2(0x21, 0x31, Buffer.alloc(216)),
      { kind: 'relayed', source: { address: 'unix:', port: 0 }, destination: null, tls: null },
    ],
    ['LOCAL', headerV2(0x20, 0x00), { kind: 'local' }],
    ['LOCAL with addresses, which do not count', headerV2(0x20, 0x11, v4), { kind: 'local' }],
    ['LOCAL with a family that does not exist', headerV2(0x20, 0xff, Buffer.alloc(7)), { kind: 'local' }],
    ['an unspecified family', headerV2(0x21, 0x00, Buffer.alloc(3)), { kind: 'local' }],
    ['an unspecified protocol', headerV2(0x21, 0x10, v4), { kind: 'local' }],
    ['UDP', headerV2(0x21, 0x12, v4), { kind: 'local' }],
  ])('of %s', (_, header, meaning) => {
    expect(parseProxyHeader(header)).toEqual({ kind: 'header', header: meaning, length: header.length });
    expect(parseProxyHeader(Buffer.concat([header, Buffer.from('GET')]))).toMatchObject({ length: header.length });
  });

  test.each([
    ['another signature', Buffer.from('0d0a0d0a000d0a515549540b', 'hex'), 'missing'],
    ['CRLF and a request', Buffer.from('\r\nGET / HTTP/1.1\r\n'), 'missing'],
    ['version 1', headerV2(0x11, 0x11, v4), 'version'],
    ['version 3', headerV2(0x31, 0x11, v4), 'version'],
    ['a command that does not exist', headerV2(0x22, 0x11, v4), 'malformed'],
    ['a family that does not exist', headerV2(0x21, 0x41, v4), 'malformed'],
    ['a protocol that does not exist', headerV2(0x21, 0x13, v4), 'malformed'],
    ['half an IPv4 address', headerV2(0x21, 0x11, v4.subarray(0, 11)), 'malformed'],
    ['half an IPv6 address', headerV2(0x21, 0x21, v6.subarray(0, 35)), 'malformed'],
    ['half a Unix address', headerV2(0x21, 0x31, Buffer.alloc(215)), 'malformed'],
    ['a cut vector', headerV2(0x21, 0x11, Buffer.concat([v4, Buffer.from('0400', 'hex')])), 'malformed'],
    ['a vector that goes on', headerV2(0x21, 0x11, Buffer.concat([v4, Buffer.from('04000201', 'hex')])), 'malformed'],
    ['a short TLS vector', headerV2(0x21, 0x11, Buffer.concat([v4, vector(0x20, Buffer.alloc(4))])), 'malformed'],
    [
      'a TLS vector whose parts go on behind it',
      headerV2(
        0x21,
        0x11,
        Buffer.concat([v4, vector(0x20, Buffer.from('0100000000210009', 'hex')), vector(4, Buffer.alloc(9))]),
      ),
      'malformed',
    ],
    ['a checksum of three bytes', headerV2(0x21, 0x11, Buffer.concat([v4, vector(3, Buffer.alloc(3))])), 'malformed'],
    ['a checksum of something else', headerV2(0x21, 0x11, Buffer.concat([v4, vector(3, Buffer.alloc(4))])), 'checksum'],
    ['more than 4096 bytes', headerV2(0x21, 0x11, Buffer.alloc(4081)).subarray(0, 16), 'too-long'],
  ])('with %s is refused', (_, header, reason) => {
    expect(refusal(header)).toBe(`proxy-header-${reason}`);
  });

  test('of 4096 bytes is read', () => {
    const header = headerV2(0x21, 0x11, Buffer.concat([v4, vector(4, Buffer.alloc(4096 - 16 - 12 - 3))]));
    expect([header.length, refusal(header)]).toEqual([4096, 'header']);
  });

  test('with its checksum is read, and with any bit flipped it is not the same (§2.2.3)', () => {
    const zeroed = headerV2(0x21, 0x11, Buffer.concat([v4, vector(2, bytes('shop.test')), vector(3, Buffer.alloc(4))]));
    const header = Buffer.from(zeroed);
    header.writeUInt32BE(crc32c(zeroed), header.length - 4);
    const meaning = parseProxyHeader(header);
    expect(meaning).toMatchObject({ kind: 'header', length: header.length });
    for (let bit = 0; bit < header.length * 8; bit += 1) {
      // Of another type, it is no checksum.
      if (bit >> 3 === header.length - 7) continue;
      const flipped = Buffer.from(header);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(parseProxyHeader(flipped)).not.toEqual(meaning);
    }
  });

  test('tells of the TLS that the client spoke (§2.2.6); what is not plain words in it is unknown', () => {
    const tls = (flags: number, ...parts: Buffer[]) =>
      vector(0x20, Buffer.concat([Buffer.from([flags, 0, 0, 0, 0]), ...parts]));
    const read = (...extras: Buffer[]) => {
      const parsed = parseProxyHeader(headerV2(0x21, 0x11, Buffer.concat([v4, ...extras])));
      return parsed.kind === 'header' && parsed.header.kind === 'relayed' ? parsed.header.tls : parsed;
    };
    const words = [vector(0x21, bytes('TLSv1.3')), vector(0x22, bytes('evil\r\n')), vector(0x23, bytes('AES128-SHA'))];
    expect(read(vector(2, bytes('Shop.test')), tls(1, ...words))).toEqual({
      serverName: 'shop.test',
      protocol: 'TLSv1.3',
      cipher: 'AES128-SHA',
    });
    expect(read(tls(1))).toEqual({ serverName: null, protocol: 'unknown', cipher: 'unknown' });
    expect(read(tls(1, vector(0x21, bytes('a b\n'))), vector(2, bytes('a\r\nb')))).toEqual({
      serverName: null,
      protocol: 'unknown',
      cipher: 'unknown',
    });
    // Without the flag, and without the vector, nobody said that it was TLS.
    expect(read(tls(6, ...words))).toBeNull();
    expect(read(vector(2, bytes('shop.test')))).toBeNull();
  });
});

test('CRC32C of RFC 9260’s kind (RFC 3720 §B.4)', () => {
  expect(crc32c(Buffer.alloc(32)).toString(16)).toBe('8a9136aa');
  expect(crc32c(Buffer.alloc(32, 0xff)).toString(16)).toBe('62a8ab43');
  expect(crc32c(bytes('123456789')).toString(16)).toBe('e3069283');
});

describe('whatever comes', () => {
  const ipv4 = fc.ipV4();
  const ipv6 = fc.ipV6().map(canonicalAddress);
  const port = fc.integer({ min: 0, max: 65_535 });
  const client = fc
    .record({ address: fc.oneof(ipv4, ipv6), localAddress: fc.oneof(ipv4, ipv6), peerPort: port, localPort: port })
    .map((ends): Client => ({ ...ends, peer: ends.address, trusted: false, forwardedBy: 'forwarded', tls: null }));
  const header = fc.oneof(
    fc
      .tuple(fc.constantFrom('v1' as const, 'v2' as const), client)
      .map(([version, who]) => bytes(proxyHeader(version, who))),
    fc.constant(PROXIED_V2),
    fc.constant(bytes('PROXY UNKNOWN\r\n')),
  );

  test('what Headgate says to its endpoints it understands itself', () => {
    fc.assert(
      fc.property(fc.constantFrom('v1' as const, 'v2' as const), client, (version, who) => {
        const parsed = parseProxyHeader(bytes(proxyHeader(version, who)));
        if (parsed.kind !== 'header' || parsed.header.kind !== 'relayed') throw new Error('It was not understood');
        const { source, destination } = parsed.header;
        expect([canonicalAddress(source.address), source.port]).toEqual([who.address, who.peerPort]);
        expect([canonicalAddress(destination?.address ?? ''), destination?.port]).toEqual([
          who.localAddress,
          who.localPort,
        ]);
      }),
    );
  });

  test('the beginning of a header wants more, and bytes behind it change nothing', () => {
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 40 }), (whole, rest) => {
        for (let length = 0; length < whole.length; length += 1)
          expect(parseProxyHeader(whole.subarray(0, length))).toEqual({ kind: 'more' });
        expect(parseProxyHeader(Buffer.concat([whole, rest]))).toEqual(parseProxyHeader(whole));
      }),
    );
  });

  test('a verdict stands whatever follows, and comes within 4096 bytes', () => {
    const start = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.constant(bytes('PROXY TCP4 ')),
      fc.constant(PROXIED_V2.subarray(0, 12)),
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 20 }), (first, then, rest) => {
        const some = Buffer.concat([first, then]);
        const verdict = parseProxyHeader(some);
        if (verdict.kind !== 'more') expect(parseProxyHeader(Buffer.concat([some, rest]))).toEqual(verdict);
        else expect(refusal(Buffer.concat([some, Buffer.alloc(4096)]))).not.toBe('more');
      }),
    );
  });
});
