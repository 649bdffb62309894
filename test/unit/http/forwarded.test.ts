import { describe, expect, test } from 'vitest';
import { appendForwarding, appendVia, countVia, type Forwarding, removeSpoofed } from '../../../src/http/forwarded.ts';
import { getHeaders, type HeaderList, noHeaders } from '../../../src/http/headers.ts';

const client: Forwarding = {
  peer: '192.0.2.7',
  trusted: false,
  forwardedBy: 'x-forwarded-for',
  client: '192.0.2.7',
  scheme: 'https',
  authority: 'shop.test',
  localPort: 8443,
  received: noHeaders,
};

function forward(received: HeaderList, facts: Partial<Forwarding> = {}, edited: HeaderList = received): string[] {
  const draft = [...edited];
  appendForwarding(draft, { ...client, received, ...facts });
  return draft;
}

describe('appendForwarding', () => {
  test('tells the endpoint who asked, by which scheme, host and port', () => {
    expect(forward(['Host', 'shop.test'])).toEqual([
      'Host',
      'shop.test',
      'X-Forwarded-For',
      '192.0.2.7',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'shop.test',
      'X-Forwarded-Port',
      '8443',
      'Forwarded',
      'for=192.0.2.7;host=shop.test;proto=https',
    ]);
  });

  test('an untrusted client is not believed in anything', () => {
    const spoofed = [
      'x-forwarded-for',
      '6.6.6.6',
      'X-FORWARDED-PROTO',
      'https',
      'X-Forwarded-Host',
      'evil.test',
      'X-Forwarded-Port',
      '1',
      'X-Forwarded-User',
      'root',
      'x-real-ip',
      '6.6.6.6',
      'forwarded',
      'for=6.6.6.6',
      'X-Forwarded-For',
      '7.7.7.7',
    ];
    expect(forward(['X-A', '1', ...spoofed, 'X-B', '2'], { scheme: 'http' })).toEqual([
      'X-A',
      '1',
      'X-B',
      '2',
      ...forward(noHeaders, { scheme: 'http' }),
    ]);
  });

  test('fields that merely look alike stay', () => {
    const alike = ['X-Forwarded', '1', 'X-ForwardedFor', '2', 'Forwarded-X', '3', 'X-Real-IPs', '4', 'F', '5'];
    expect(forward(alike).slice(0, alike.length)).toEqual(alike);
  });

  test('a field that the route itself added stays, a spoofed one of the same name does not', () => {
    const received = ['X-Forwarded-Prefix', '/evil'];
    const draft = forward(received, {}, ['X-Forwarded-Prefix', '/evil', 'X-Forwarded-Prefix', '/api']);
    expect(getHeaders(draft, 'x-forwarded-prefix')).toEqual(['/api']);
  });

  test('the list of a trusted proxy is extended, its statements kept, and the other list made of the client', () => {
    const received = [
      'X-Forwarded-For',
      '203.0.113.1',
      'X-Forwarded-For',
      '10.0.0.1',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'public.test',
      'X-Forwarded-Port',
      '80',
      'X-Forwarded-Prefix',
      '/p',
      'X-Real-IP',
      '203.0.113.1',
      'Forwarded',
      'for=203.0.113.1',
      'Forwarded',
      'for="[::1]"',
    ];
    expect(forward(received, { trusted: true, client: '203.0.113.1' })).toEqual([
      'X-Forwarded-Prefix',
      '/p',
      'X-Real-IP',
      '203.0.113.1',
      'X-Forwarded-For',
      '203.0.113.1, 10.0.0.1, 192.0.2.7',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'public.test',
      'X-Forwarded-Port',
      '80',
      'Forwarded',
      'for=203.0.113.1, for=192.0.2.7;host=shop.test;proto=https',
    ]);
  });

  test('of a proxy that writes Forwarded the X-Forwarded fields may be a client’s: they are made anew (RFC 7239 §4)', () => {
    const spoofed = ['X-Forwarded-For', '6.6.6.6', 'X-Forwarded-Proto', 'gopher', 'X-Forwarded-Host', 'evil.test'];
    const list = 'for="[2001:db8::7]";proto=http, for=10.0.0.1;proto=HTTPS;host="public.test:444"';
    const received = [...spoofed, 'X-Forwarded-Port', '99', 'Forwarded', list];
    const facts = { trusted: true, forwardedBy: 'forwarded', client: '2001:db8::7', scheme: 'http' } as const;
    expect(forward(received, facts)).toEqual([
      'X-Forwarded-For',
      '2001:db8::7, 192.0.2.7',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'public.test:444',
      'X-Forwarded-Port',
      '444',
      'Forwarded',
      `${list}, for=192.0.2.7;host=shop.test;proto=http`,
    ]);
  });

  test.each([
    ['proto=gopher', 'https', 'shop.test'],
    ['for=10.0.0.1', 'https', 'shop.test'],
    ['proto=http;proto=http;host=a;host=b', 'https', 'shop.test'],
    ['proto=http;host=a, for=10.0.0.1', 'https', 'shop.test'],
    ['host="a.test', 'https', 'shop.test'],
    ['proto=http', 'http', 'shop.test'],
  ])('Forwarded: %s says %s of %s', (list, scheme, host) => {
    const draft = forward(['Forwarded', list], { trusted: true, forwardedBy: 'forwarded' });
    expect(getHeaders(draft, 'x-forwarded-proto')).toEqual([scheme]);
    expect(getHeaders(draft, 'x-forwarded-host')).toEqual([host]);
  });

  test.each([
    ['unix:', ['203.0.113.1'], 'for="[2001:db8::7]", for=unknown;host=shop.test;proto=https'],
    ['', ['203.0.113.1'], 'for="[2001:db8::7]", for=unknown;host=shop.test;proto=https'],
  ])('a peer without an address (%j) is unknown, and adds nothing to X-Forwarded-For (§6.2)', (peer, chain, list) => {
    const said = { trusted: true, peer, client: '2001:db8::7' };
    const draft = forward(['X-Forwarded-For', '203.0.113.1'], said);
    expect(getHeaders(draft, 'x-forwarded-for')).toEqual(chain);
    expect(getHeaders(draft, 'forwarded')).toEqual([list]);
    const stranger = forward(['X-Forwarded-For', '203.0.113.1'], { peer, client: peer });
    expect(getHeaders(stranger, 'x-forwarded-for')).toEqual([]);
    expect(getHeaders(stranger, 'forwarded')).toEqual(['for=unknown;host=shop.test;proto=https']);
  });

  test('a trusted proxy that says nothing changes nothing', () => {
    expect(forward(noHeaders, { trusted: true })).toEqual(forward(noHeaders));
  });

  test.each([
    [['X-Forwarded-Proto', 'https'], '443'],
    [['X-Forwarded-Proto', 'http'], '80'],
    [['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'public.test:444'], '444'],
    [['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', '[2001:db8::1]'], '443'],
    [['X-Forwarded-Host', 'public.test:444'], '8443'],
  ])('behind a trusted proxy that says %j the port is %s', (received, port) => {
    expect(getHeaders(forward(received, { trusted: true }), 'x-forwarded-port')).toEqual([port]);
  });

  test.each([
    [{ peer: '2001:db8::7' }, 'for="[2001:db8::7]";host=shop.test;proto=https'],
    [{ authority: 'shop.test:8443' }, 'for=192.0.2.7;host="shop.test:8443";proto=https'],
    [{ authority: '[::1]:80' }, 'for=192.0.2.7;host="[::1]:80";proto=https'],
    [{ authority: 'a"b\\c' }, 'for=192.0.2.7;host="a\\"b\\\\c";proto=https'],
    [{ authority: '', scheme: 'http' as const }, 'for=192.0.2.7;proto=http'],
  ])('%j becomes %s (RFC 7239 §4, §6)', (facts, element) => {
    expect(getHeaders(forward(noHeaders, facts), 'forwarded')).toEqual([element]);
  });

  test('X-Forwarded-For has IPv6 addresses bare, and without a host there is no X-Forwarded-Host', () => {
    const draft = forward(noHeaders, { peer: '2001:db8::7', authority: '' });
    expect(getHeaders(draft, 'x-forwarded-for')).toEqual(['2001:db8::7']);
    expect(getHeaders(draft, 'x-forwarded-host')).toEqual([]);
  });
});

test('removeSpoofed leaves nothing that only a trusted proxy may say', () => {
  const draft = [
    'X-A',
    '1',
    'X-Forwarded-Prefix',
    '/a',
    'FORWARDED',
    'for=x',
    'X-Real-Ip',
    'x',
    'Via',
    '1.1 a',
    'x-forwarded-for',
    'x',
  ];
  removeSpoofed(draft);
  expect(draft).toEqual(['X-A', '1', 'Via', '1.1 a']);
});

describe('Via (RFC 9110 §7.6.3)', () => {
  test.each([
    ['1.0', '1.0 headgate'],
    ['1.1', '1.1 headgate'],
    ['2', '2.0 headgate'],
  ] as const)('a message received by HTTP/%s gets the entry "%s", behind all others', (version, entry) => {
    const draft = ['Via', '1.1 first', 'X-A', '1'];
    appendVia(draft, version);
    expect(draft).toEqual(['Via', '1.1 first', 'X-A', '1', 'Via', entry]);
  });

  test.each([
    [[], 0],
    [['1.1 headgate'], 1],
    [['1.0 fred, 1.1 headgate'], 1],
    [['1.1 headgate', '2.0 HEADGATE'], 2],
    [['HTTP/1.1 headgate (a proxy), 1.1 b, 1.1\theadgate'], 2],
    [['1.1 fred (1.1 headgate, 1.1 headgate), 1.1 b'], 0],
    [['1.1 fred (a (nested, 1.1 headgate) b, 1.1 headgate) , 1.1 headgate'], 1],
    [['1.1 fred (a \\) , 1.1 headgate), 1.1 headgate'], 1],
    [['1.1 fred (a \\) , 1.1 headgate , b), 1.1 c'], 0],
    [['1.1 odd(name, 1.1 headgate, 1.1 odd)name'], 1],
    [['1.1 fred (open, 1.1 headgate'], 1],
    [['1.1 headgate2, 1.1 my-headgate, 1.1 headgate:80, headgate'], 0],
    [[',, 1.1 headgate ,'], 1],
    [[''], 0],
  ])('%j names us %i times', (values, count) => {
    const headers = values.flatMap((value) => ['via', value, 'X-Via', '1.1 headgate']);
    expect(countVia(headers, 'headgate')).toBe(count);
  });

  test('what appendVia wrote is counted', () => {
    const draft: string[] = [];
    for (let i = 0; i < 3; i += 1) appendVia(draft, '1.1', 'Gate-7');
    expect(countVia(draft, 'gate-7')).toBe(3);
  });
});
