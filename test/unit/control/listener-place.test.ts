import { describe, expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';
import { listenPlaceOf } from '../../../src/config/schema/bind-address.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';

type Listener = NonNullable<ConfigInput['listeners']>[string];

/** Line and message of each complaint about one listener, `web`, whose keys begin on line 3. */
function complaints(web: Listener, others: Record<string, Listener> = {}): string[] {
  const loaded = configFromObject({ listeners: { web, ...others }, routes: [{ respond: {} }] });
  const found = loaded.ok ? mistakesIn(loaded) : loaded.diagnostics;
  return found.map(
    ({ line, message, suggestion }) => `${line}: ${message}${suggestion === null ? '' : ` → ${suggestion}`}`,
  );
}

function placeOf(web: Listener): unknown {
  const loaded = configFromObject({ listeners: { web }, routes: [{ respond: {} }] });
  const listener = loaded.ok ? loaded.config.listeners['web'] : undefined;
  return listener === undefined ? null : listenPlaceOf(listener);
}

describe('where a listener listens', () => {
  test.each([
    [{ port: 80 }, null, 80],
    [{ address: ':8443' }, null, 8443],
    [{ address: '127.0.0.1:8443' }, '127.0.0.1', 8443],
    [{ address: '127.0.0.1', port: 1 }, '127.0.0.1', 1],
    [{ address: '[::1]:8443' }, '::1', 8443],
    [{ address: '[::1]', port: 1 }, '::1', 1],
    [{ address: '::1', port: 1 }, '::1', 1],
    [{ address: '::', port: 1 }, '::', 1],
    [{ address: '[::]:1' }, '::', 1],
    [{ address: '2001:db8::1:2', port: 1 }, '2001:db8::1:2', 1],
    [{ address: '::ffff:192.0.2.1', port: 1 }, '::ffff:192.0.2.1', 1],
    [{ address: 'fe80::1%eth0', port: 1 }, 'fe80::1%eth0', 1],
    [{ address: '[fe80::1%eth0]:1' }, 'fe80::1%eth0', 1],
    [{ address: 'localhost:0' }, 'localhost', 0],
  ])('%j', (listener, host, port) => {
    expect(complaints(listener)).toEqual([]);
    expect(placeOf(listener)).toEqual({ kind: 'tcp', host, port });
  });

  test('may be a Unix socket, whose file is for owner and group unless another mode is given', () => {
    const place = { kind: 'unix', path: '/run/headgate.sock' };
    expect(placeOf({ address: 'unix:/run/headgate.sock' })).toEqual({ ...place, mode: 0o660 });
    expect(placeOf({ address: 'unix:/run/headgate.sock', mode: '0600' })).toEqual({ ...place, mode: 0o600 });
    expect(placeOf({ address: 'unix:/run/headgate.sock', mode: '777' })).toEqual({ ...place, mode: 0o777 });
  });

  test.each([
    '',
    ':',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '[::1',
    '::1]:80',
    '[::1]:x',
    'unix:',
    'unix:app.sock',
    'unix:@app',
    'http://a:1',
    'a b:1',
    `unix:/${'x'.repeat(107)}`,
  ])('is not %j', (address) => {
    const [only, ...more] = complaints({ address, port: undefined });
    expect(more).toEqual([]);
    expect(only).toContain(
      'is not an address to listen on → write 127.0.0.1, ::1, either with a port ([::1]:8443), :8443, or unix:/path',
    );
  });

  test.each<[string, Listener, string]>([
    ['without a port', { http2: true }, '2: missing key “port” → add “port: …”, a number'],
    ['with an address that has none', { address: '::1' }, '2: missing key “port” → add “port: …”, a number'],
    ['with two ports', { address: ':80', port: 81 }, '4: the address has a port already: remove one of the two'],
    ['with a port beside a socket', { address: 'unix:/a', port: 81 }, '4: a Unix socket has no port'],
    ['with a mode and no file', { port: 81, mode: '0600' }, '4: only the file of a Unix socket has a mode'],
    [
      'with a mode that is none',
      { address: 'unix:/a', mode: '999' },
      '4: “999” is not a file mode → write three octal digits in quotes: "0660"',
    ],
    [
      'with proxyProtocol, and nobody who may over TCP',
      { port: 81, proxyProtocol: true, trustedProxies: ['unix:'] },
      '4: nobody may send a PROXY header: list those who must in “trustedProxies”',
    ],
    [
      'with proxyProtocol, and nobody who may on a Unix socket',
      { address: 'unix:/run/a.sock', proxyProtocol: true, trustedProxies: ['10.0.0.1'] },
      '4: nobody may send a PROXY header: list those who must in “trustedProxies”',
    ],
    [
      'with proxyProtocol and nobody who may',
      { port: 81, proxyProtocol: true },
      '4: nobody may send a PROXY header: list those who must in “trustedProxies”',
    ],
  ])('is told where it is wrong: %s', (_, listener, expected) => {
    expect(complaints(listener)).toEqual([expected]);
  });

  test('is nowhere that another listener is, nor a socket that a redirect would lead to', () => {
    const socket = { address: 'unix:/run/a.sock' };
    expect(complaints(socket, { two: { ...socket } })).toEqual([
      '5: socket /run/a.sock is that of listener “web” already',
    ]);
    expect(complaints(socket, { two: { address: 'unix:/run/b.sock' } })).toEqual([]);
    expect(complaints({ address: ':81' }, { two: { address: '[::1]:81' } })).toEqual([
      '5: port 81 is that of listener “web” already',
    ]);
    expect(complaints({ address: '0.0.0.0:81' }, { two: { address: '127.0.0.1:81' } })).toHaveLength(1);
    expect(complaints({ address: '0.0.0.0:81' }, { two: { address: '[::1]:81' } })).toEqual([]);
    expect(complaints({ address: 'unix:/run/a.sock', tls: {} }, { two: { port: 80, redirectTo: 'web' } })).toContain(
      '7: listener “web” is a Unix socket: no URL leads there',
    );
  });

  test('may trust unix: as well as networks', () => {
    expect(complaints({ address: 'unix:/a', trustedProxies: ['unix:', '10.0.0.0/8'] })).toEqual([]);
    expect(complaints({ address: 'unix:/a', trustedProxies: ['unix:/b'] })).toHaveLength(1);
  });
});
