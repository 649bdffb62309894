import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseClientHello } from '../../../src/downstream/tls/client-hello.ts';
import {
  extension,
  helloBytes,
  helloMessage,
  inRecords,
  serverNameData,
  vector8,
  vector16,
} from '../../kit/client-hello.ts';
import { chromium, curl, opensslImap, opensslWithoutName } from './client-hellos.ts';

const MORE = { kind: 'more' };
const NOT_TLS = { kind: 'not-tls' };
const PLAIN = { kind: 'hello', serverName: 'shop.example', alpn: [] };
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

describe('hellos of real clients', () => {
  test.each([
    ['curl', curl, 'shop.example', ['h2', 'http/1.1']],
    ['openssl without a name, TLS 1.2', opensslWithoutName, null, []],
    ['openssl for IMAP, the name in mixed case', opensslImap, 'mail.example', ['imap']],
    ['Chromium', chromium, 'update.googleapis.com', ['h2', 'http/1.1']],
  ])('%s', (_, hex, serverName, alpn) => {
    const hello = bytes(hex);
    expect(parseClientHello(hello)).toEqual({ kind: 'hello', serverName, alpn });
    for (let length = 0; length < hello.length; length += 1)
      expect(parseClientHello(hello.subarray(0, length))).toEqual(MORE);
  });

  test('node:tls', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ port, host: '127.0.0.1', servername: 'shop.example', ALPNProtocols: ['h2'] });
    client.on('error', () => {});
    const [socket] = await once(server, 'connection');
    const [first] = await once(socket, 'data');
    client.destroy();
    socket.destroy();
    server.close();
    expect(parseClientHello(first)).toEqual({ kind: 'hello', serverName: 'shop.example', alpn: ['h2'] });
  });
});

describe('records (RFC 8446 §5.1)', () => {
  test.each([1, 2, 3, 4, 5, 7, 60])('a hello cut into records of %i bytes', (fragment) => {
    expect(parseClientHello(helloBytes({}, fragment))).toEqual(PLAIN);
  });

  test('17 KiB of post-quantum key shares need two records', () => {
    const hello = helloBytes({ extensions: [[51, new Uint8Array(17 * 1024)]] });
    expect(parseClientHello(hello)).toEqual(PLAIN);
    expect(parseClientHello(hello.subarray(0, 2 ** 14 + 5))).toEqual(MORE);
  });

  test('what follows the hello is not looked at', () => {
    expect(parseClientHello(Buffer.concat([helloBytes(), Buffer.from('early data')]))).toEqual(PLAIN);
  });

  test.each([
    ['an empty record', '160301000001'],
    ['a record that is longer than it may be', '1603014001'],
    ['another record in the middle of the hello', '160301000501000040ff' + '140303000101'],
    ['an alert', '15030100020228'],
    ['a server’s hello', '16030300050200004003'],
    ['a version that never was', '160400000501'],
    ['an SSLv2 hello (RFC 5246 §E.2)', '802e0103010015000000100000'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n').toString('hex')],
    ['a PROXY protocol header', Buffer.from('PROXY TCP4 ').toString('hex')],
    ['SSH', Buffer.from('SSH-2.0-').toString('hex')],
  ])('%s is not TLS', (_, hex) => {
    expect(parseClientHello(bytes(hex))).toEqual(NOT_TLS);
  });

  test('one wrong byte is enough', () => {
    expect(parseClientHello(Buffer.from('G'))).toEqual(NOT_TLS);
    expect(parseClientHello(bytes('1602'))).toEqual(NOT_TLS);
  });

  test('no byte is no answer', () => {
    expect(parseClientHello(new Uint8Array(0))).toEqual(MORE);
  });
});

describe('the message (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2)', () => {
  const none = new Uint8Array(0);

  test('a hello without extensions has no name', () => {
    expect(parseClientHello(helloBytes({ block: none }))).toEqual({ kind: 'hello', serverName: null, alpn: [] });
  });

  test('an empty list of extensions is one', () => {
    expect(parseClientHello(helloBytes({ block: vector16(none) }))).toEqual({
      kind: 'hello',
      serverName: null,
      alpn: [],
    });
  });

  test.each([
    ['a session id over 32 bytes', { session: new Uint8Array(33) }],
    ['no cipher suite', { ciphers: none }],
    ['half a cipher suite', { ciphers: Uint8Array.of(0x13, 0x01, 0x13) }],
    ['no compression method', { compressions: none }],
    ['bytes behind the extensions', { trailing: Uint8Array.of(0) }],
    ['extensions that are longer than the message', { block: bytes('0008000000') }],
    ['an extension that is longer than their block', { block: vector16(bytes('00000009')) }],
    ['half an extension', { block: vector16(bytes('0017')) }],
  ])('%s is malformed', (_, options) => {
    expect(parseClientHello(helloBytes(options))).toEqual(NOT_TLS);
  });

  test('an empty message is malformed', () => {
    expect(parseClientHello(inRecords(bytes('01000000')))).toEqual(NOT_TLS);
  });

  test('GREASE and extensions that nobody knows are passed over (RFC 8701)', () => {
    const extensions = [
      [0x0a0a, none],
      [0x1a1a, Uint8Array.of(0)],
      [0xfe0d, new Uint8Array(300)],
    ] as const;
    const alpn = ['\x0a\x0a', 'h2'];
    expect(parseClientHello(helloBytes({ extensions, alpn }))).toEqual({ ...PLAIN, alpn });
  });
});

describe('server_name (RFC 6066 §3)', () => {
  const withData = (data: Uint8Array): Buffer => helloBytes({ serverName: null, extensions: [[0, data]] });

  test.each([
    ['upper case', 'SHOP.Example', 'shop.example'],
    ['a trailing dot', 'shop.example.', 'shop.example'],
    ['an address, which is no name but is sent', '192.0.2.7', '192.0.2.7'],
    ['an underscore', '_db.example', '_db.example'],
    ['255 bytes', `${'a'.repeat(63)}.`.repeat(4).slice(0, 255), `${'a'.repeat(63)}.`.repeat(4).slice(0, 255)],
  ])('%s', (_, sent, serverName) => {
    expect(parseClientHello(helloBytes({ serverName: sent }))).toEqual({ kind: 'hello', serverName, alpn: [] });
  });

  test.each([
    ['an empty name', serverNameData('')],
    ['a dot', serverNameData('.')],
    ['two dots at the end', serverNameData('shop.example..')],
    ['a NUL in the name', serverNameData('shop.example\0.evil.example')],
    ['a line end in the name', serverNameData('shop.example\r\n')],
    ['a name that is not ASCII', serverNameData('sh\xf6p.example')],
    ['a name of 257 bytes', serverNameData('a'.repeat(257))],
    ['another type of name', serverNameData('shop.example', 1)],
    ['two names', vector16(bytes('0000016100000162'))],
    ['an empty list', vector16(new Uint8Array(0))],
    ['no data, as a server answers', new Uint8Array(0)],
    ['bytes behind the list', Buffer.concat([serverNameData('shop.example'), Uint8Array.of(0)])],
    ['a list that is longer than its data', bytes('0010000001')],
  ])('%s is malformed', (_, data) => {
    expect(parseClientHello(withData(data))).toEqual(NOT_TLS);
  });

  test('two server_name extensions are malformed, whatever stands between (RFC 8446 §4.2)', () => {
    const first = [0, serverNameData('a.example')] as const;
    const hello = helloBytes({ serverName: 'b.example', extensions: [first, [0x0a0a, new Uint8Array(0)]] });
    expect(parseClientHello(hello)).toEqual(NOT_TLS);
  });
});

describe('application_layer_protocol_negotiation (RFC 7301 §3.1)', () => {
  test('protocols keep their order', () => {
    expect(parseClientHello(helloBytes({ alpn: ['acme-tls/1', 'h2'] }))).toEqual({
      ...PLAIN,
      alpn: ['acme-tls/1', 'h2'],
    });
  });

  test.each([
    ['an empty list', extension(16, vector16(new Uint8Array(0)))],
    ['an empty protocol', extension(16, vector16(bytes('02683200')))],
    ['bytes behind the list', extension(16, Buffer.concat([vector16(vector8(Buffer.from('h2'))), Uint8Array.of(0)]))],
    ['two of them', Buffer.concat([extension(16, bytes('0003026832')), extension(16, bytes('0003026832'))])],
  ])('%s is malformed', (_, block) => {
    expect(parseClientHello(helloBytes({ block: vector16(block) }))).toEqual(NOT_TLS);
  });
});

describe('any bytes', () => {
  test('are answered, and no byte more changes an answer', () => {
    const mutated = fc
      .record({
        fragment: fc.integer({ min: 1, max: 80 }),
        name: fc.domain(),
        alpn: fc.array(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        flips: fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      })
      .map(({ fragment, name, alpn, flips }) => {
        const hello = helloBytes({ serverName: name, alpn }, fragment);
        for (const [at, byte] of flips) if (at < hello.length) hello[at] = byte;
        return hello;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (input) => {
        const whole = parseClientHello(input);
        for (let length = 0; length < input.length; length += 1) {
          const part = parseClientHello(input.subarray(0, length));
          if (part.kind !== 'more') expect(part).toEqual(whole);
        }
      }),
    );
  });

  test('a hello says the same however it is cut into records', () => {
    fc.assert(
      fc.property(fc.domain(), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (name, cuts) => {
        const message = helloMessage({ serverName: name, alpn: ['h2'] });
        const records: Buffer[] = [];
        for (let at = 0, turn = 0; at < message.length; turn += 1) {
          const size = cuts[turn % cuts.length] as number;
          records.push(inRecords(message.subarray(at, at + size)));
          at += size;
        }
        const expected = { kind: 'hello', serverName: name.toLowerCase(), alpn: ['h2'] };
        expect(parseClientHello(Buffer.concat(records))).toEqual(expected);
      }),
    );
  });
});
