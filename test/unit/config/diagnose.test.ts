import { describe, expect, test } from 'vitest';
import { configFromYaml } from './yaml-text.ts';

/** `line:column+length message → suggestion` of every diagnostic. */
function complaints(text: string): string[] {
  const result = configFromYaml(text);
  if (result.ok) return [];
  return result.diagnostics.map(({ line, column, length, message, suggestion, notes }) => {
    const also = notes.map((note) => ` (${note.line}:${note.column} ${note.message})`).join('');
    return `${line}:${column}+${length} ${message}${suggestion === null ? '' : ` → ${suggestion}`}${also}`;
  });
}

const POOL = 'pools: { a: { endpoints: ["h:1"] } }\n';
const route = (text: string) => `${POOL}routes:\n  - { pool: a, ${text} }\n`;
const pool = (text: string) => `pools:\n  a: { endpoints: ["h:1"], ${text} }\n`;
const listener = (text: string) => `listeners:\n  web: { port: 80, ${text} }\n`;

describe('an unknown key', () => {
  test.each([
    ['that is a slip', pool('balanse: random'), '2:28+7 unknown key “balanse” → did you mean “balance”?'],
    ['in another case', pool('Balance: random'), '2:28+7 unknown key “Balance” → did you mean “balance”?'],
    [
      'with its words apart',
      listener('trusted_proxies: []'),
      '2:20+15 unknown key “trusted_proxies” → did you mean “trustedProxies”?',
    ],
    ['that belongs further in', route('path: /x'), '3:16+4 unknown key “path” → it belongs inside “match”'],
    [
      'that belongs further out',
      route('match: { path: /x, timeouts: {} }'),
      '3:35+8 unknown key “timeouts” → it belongs beside “match”, further left',
    ],
    [
      'that nothing resembles',
      pool('health: { frequency: 5s }'),
      '2:38+9 unknown key “frequency” → known here: path, expect, body, host, method, headers, type, service, interval, failingInterval, jitter, timeout, rise, fall, start, slowStart',
    ],
    [
      'of one of several forms',
      route('match: { path: { prefx: /x } }'),
      '3:33+5 unknown key “prefx” → did you mean “prefix”?',
    ],
    [
      'beside a key of one of several forms',
      route('rewrite: { regex: x, replce: y }'),
      '3:37+6 unknown key “replce” → did you mean “replace”?',
    ],
    ['below `not`', route('match: { not: { hots: a } }'), '3:32+4 unknown key “hots” → did you mean “host”?'],
    ['below `any`', route('match: { any: [{ hots: a }] }'), '3:33+4 unknown key “hots” → did you mean “host”?'],
    ['that is a whole section', `${POOL}adnim: { port: 1 }\n`, '2:1+5 unknown key “adnim” → did you mean “admin”?'],
  ])('%s', (_, text, expected) => {
    expect(complaints(text)).toEqual([expected]);
  });

  test('and the missing key that it causes are one error', () => {
    expect(complaints('pools:\n  a: { endponts: ["h:1"] }\n')).toEqual([
      '2:8+8 unknown key “endponts” → did you mean “endpoints”?',
    ]);
    expect(complaints(`${POOL}routes:\n  - polo: a\n`)).toEqual(['3:5+4 unknown key “polo” → did you mean “pool”?']);
  });

  test('takes the place of the only one that is missing, however far apart', () => {
    expect(complaints('pools:\n  a: { servers: ["h:1"] }\n')).toEqual([
      '2:8+7 unknown key “servers” → did you mean “endpoints”?',
    ]);
  });

  test('at the wrong depth is what the outer map misses', () => {
    expect(complaints(`${POOL}routes:\n  - match:\n      path: /x\n      pool: a\n`)).toEqual([
      '5:7+4 unknown key “pool” → it belongs beside “match”, further left',
    ]);
  });

  test('that is a section is read as the section, so that nothing else seems to be missing', () => {
    expect(complaints('pool: { a: { endpoints: [] } }\nroutes:\n  - pool: a\n')).toEqual([
      '1:1+4 unknown key “pool” → did you mean “pools”?',
      '1:14+9 “endpoints” is empty → it needs at least one item',
    ]);
  });
});

describe('a missing key', () => {
  test.each([
    ['of a pool', 'pools:\n  a: { balance: random }\n', '2:3+1 missing key “endpoints” → add “endpoints: …”, a list'],
    ['of a listener', 'listeners:\n  web: { http2: false }\n', '2:3+3 missing key “port” → add “port: …”, a number'],
    [
      'of an endpoint',
      'pools:\n  a: { endpoints: [{ weight: 1 }] }\n',
      '2:22+6 missing key “address” → add “address: …”, an endpoint address',
    ],
    [
      'of a route',
      'routes:\n  - match: {}\n',
      '2:5+5 a route needs one of pool, split, redirect, respond → add “pool: NAME” to forward what matches',
    ],
    ['of a regex rewrite', route('rewrite: { regex: x }'), '3:16+7 missing key “replace” → add “replace: …”, text'],
  ])('%s', (_, text, expected) => {
    expect(complaints(text)).toEqual([expected]);
  });
});

describe('a wrong value', () => {
  test.each([
    [
      'yes for true',
      listener('http2: yes'),
      '2:27+3 expected true or false, found “yes” → YAML 1.2 reads “yes” as text: write true',
    ],
    [
      'off for false',
      listener('http2: off'),
      '2:27+3 expected true or false, found “off” → YAML 1.2 reads “off” as text: write false',
    ],
    ['a quoted boolean', listener('http2: "true"'), '2:27+6 expected true or false, found “true” → remove the quotes'],
    [
      'a quoted number',
      'listeners: { web: { port: "80" } }\n',
      '1:27+4 expected a number, found “80” → remove the quotes',
    ],
    [
      'yes in place of a map',
      route('cache: yes'),
      '3:23+3 expected true or a map, found “yes” → YAML 1.2 reads “yes” as text: write true',
    ],
    [
      'a near-miss enum',
      pool('balance: round_robbin'),
      '2:37+12 “round_robbin” is not allowed for “balance” → did you mean “round-robin”?',
    ],
    [
      'an enum far off',
      pool('balance: fair'),
      '2:37+4 expected round-robin, least-connections, random, two-choices, ewma, source-ip or a map, found “fair” → its keys are “hash” and “load”',
    ],
    [
      'a status that is no redirect',
      `routes:\n  - redirect: { to: /, status: 300 }\n`,
      '2:32+3 “300” is not allowed for “status” → use “301”, “302”, “303”, “307” or “308”',
    ],
    [
      'a duration with a word',
      route('timeouts: { head: 5 sec }'),
      '3:34+5 “5 sec” is not a duration → did you mean “5s”?',
    ],
    [
      'a duration without unit',
      route('timeouts: { head: 5000 }'),
      '3:34+4 “5000” is not a duration → did you mean “5s”?',
    ],
    [
      'no duration at all',
      route('timeouts: { head: soon }'),
      '3:34+4 “soon” is not a duration → write 500ms, 5s, 2m, 1h or 1d',
    ],
    ['a list for a duration', route('timeouts: { head: [5s] }'), '3:28+4 expected a duration, found a list'],
    ['a size with a word', route('limits: { body: 10 MB }'), '3:32+5 “10 MB” is not a size → did you mean “10M”?'],
    ['a negative size', route('limits: { body: -1 }'), '3:32+2 “-1” is not a size → write 512, 64k, 10M or 1G'],
    [
      'a number for text',
      route('match: { headers: { x: 1.10 } }'),
      '3:39+4 expected text or a map, found the number 1.10 → put it in quotes: "1.10"',
    ],
    [
      'a number within one of several forms',
      route('match: { headers: { x: { prefix: 1 } } }'),
      '3:49+1 expected text, found the number 1 → put it in quotes: "1"',
    ],
    ['a number too big', 'listeners: { web: { port: 70000 } }\n', '1:27+5 70000 is too big → at most 65535'],
    ['a number too small', route('retry: { attempts: 0 }'), '3:35+1 0 is too small → at least 1'],
    ['half a number', route('retry: { attempts: 1.5 }'), '3:35+3 expected a whole number, found the number 1.5'],
    ['text too short', pool('affinity: { secret: short }'), '2:48+5 “secret” is too short → at least 16 characters'],
    [
      'no text at all',
      route('match: { path: { regex: "" } }'),
      '3:40+2 “regex” is empty → write at least one character',
    ],
    [
      'a value for a list',
      'pools: { a: { endpoints: h:1 } }\n',
      '1:26+3 expected a list, found “h:1” → write a list: [h:1]',
    ],
    [
      'a map for a list',
      'pools: { a: { endpoints: { b: 1 } } }\n',
      '1:15+9 expected a list, found a map → begin each item with “- ”',
    ],
    [
      'false where only true means something',
      route('match: { headers: { x: { present: false } } }'),
      '3:50+5 expected true, found false → write true, or remove “present”',
    ],
    [
      'no for false, where text may stand too',
      route('cookies: { domain: no }'),
      '3:35+2 “no” is not allowed here → YAML 1.2 reads it as text: write false to remove it, or a domain',
    ],
    [
      'a Host that is none',
      pool('host: "a b"'),
      '2:34+5 “a b” is not a host → write a name or an IP literal, with or without a port',
    ],
    [
      'a path of a check that needs escapes',
      pool('health: { path: /a b }'),
      '2:44+4 “/a b” is not a path → write a path that starts with “/”, in visible ASCII without “#”',
    ],
    [
      'a cookie path that would begin another attribute',
      pool('affinity: { path: "/a;b" }'),
      '2:46+6 “/a;b” is not a cookie path → write a path that starts with “/”, in ASCII without “;”',
    ],
    [
      'a cookie domain that is none',
      pool('affinity: { domain: ".." }'),
      '2:48+4 “..” is not a cookie domain → write a host name without a port',
    ],
    ['a list for a map', pool('health: [1]'), '2:28+6 expected a map, found a list'],
    [
      'text for a map',
      pool('health: /healthz'),
      '2:36+8 expected a map, found “/healthz” → its keys are “path”, “expect”, “body”, “host”, “method”, “headers” and 10 more',
    ],
    ['nothing', 'pools:\n  a:\n', '2:3+1 “a” has no value → write a map, or remove it'],
    [
      'nothing where defaults would do',
      'listeners:\n  web:\n    port: 1\n    tls:\n',
      '4:5+3 “tls” has no value → write “{}” for the defaults',
    ],
    [
      'nothing in a list',
      'pools:\n  a:\n    endpoints:\n      -\n',
      '4:8+1 this item is empty → write an endpoint address or a map, or remove it',
    ],
    [
      'an address without port',
      'pools: { a: { endpoints: [h] } }\n',
      '1:27+1 “h” is not an endpoint address → write host:port, http(s)://host[:port], or unix:/path',
    ],
    [
      'a port for an address',
      'pools: { a: { endpoints: [3000] } }\n',
      '1:27+4 expected an endpoint address or a map, found the number 3000 → did you mean “localhost:3000”?',
    ],
    [
      'an address with a path',
      'pools: { a: { endpoints: ["http://h/v2"] } }\n',
      '1:27+13 “http://h/v2” is not an endpoint address → did you mean “http://h”? The route’s “rewrite” adds a path',
    ],
    [
      'a path without slash',
      pool('health: { path: healthz }'),
      '2:44+7 “healthz” is not a path → did you mean “/healthz”?',
    ],
    [
      'a family of statuses',
      pool('health: { expect: [2xx] }'),
      '2:47+3 “2xx” is not a range of statuses → did you mean “200-299”?',
    ],
    [
      'a host with a port',
      route('match: { host: "a:80" }'),
      '3:31+6 “a:80” is not a host → write a name, *.name, or an IP literal, without scheme, port and path',
    ],
    [
      'a method of two words',
      route('match: { method: GET it }'),
      '3:33+6 “GET it” is not a method (RFC 9110 §9.1) → write GET, POST, …',
    ],
    [
      'a header name with a space',
      route('match: { headers: { "x y": a } }'),
      "3:36+5 “x y” is not a header field name (RFC 9110 §5.1) → write letters, digits and !#$%&'*+.^_`|~- only",
    ],
    ['an empty cookie name', route('match: { cookies: { "": a } }'), '3:36+2 a key is empty'],
    [
      'two forms at once',
      route('rewrite: { prefix: /a, stripPrefix: /b }'),
      '3:16+7 “prefix” and “stripPrefix” can’t stand together → keep one of “stripPrefix”, “prefix”, “path” or “regex + replace”',
    ],
    [
      'no form at all',
      route('match: { path: {} }'),
      '3:25+4 “path” is empty → write one of “exact”, “prefix” or “regex”',
    ],
    [
      'two deeds',
      route('respond: {}'),
      '3:16+7 a route has one of pool, split, redirect, respond, not pool and respond',
    ],
    [
      'half a certificate',
      listener('tls: { key: a }'),
      '2:20+3 certificate and key belong together: give both or neither',
    ],
    [
      'a value of many lines',
      pool('balance: "a\\nb"'),
      '2:37+6 expected round-robin, least-connections, random, two-choices, ewma, source-ip or a map, found “a…” → its keys are “hash” and “load”',
    ],
  ])('%s', (_, text, expected) => {
    expect(complaints(text)).toEqual([expected]);
  });

  test('below a name that no entry can have is told as well', () => {
    expect(complaints('pools:\n  my pool: { endpoints: [], balanse: random }\n')).toEqual([
      '2:3+7 “my pool” is not a name → write 1–63 letters, digits, “_”, “.” or “-”, beginning with a letter or digit',
      '2:14+9 “endpoints” is empty → it needs at least one item',
      '2:29+7 unknown key “balanse” → did you mean “balance”?',
    ]);
  });

  test.each([
    ['retry: { on: [conect] }', 'did you mean “connect”?'],
    ['retry: { on: [200] }', 'at least 400'],
    ['retry: { on: 503 }', 'write a list: [503]'],
    ['retry: { hedge: { quantile: 100% } }', 'a quantile is above 0% and below 100%'],
    ['retry: { hedge: { quantile: much } }', 'write 50% or 0.5; 100% at most'],
  ])('of %s is explained', (given, remedy) => {
    const text = `listeners: { web: {} }\npools: { p: { endpoints: [127.0.0.1:1] } }\nroutes: [{ pool: p, ${given} }]\n`;
    expect(complaints(text).join()).toContain(remedy);
  });

  test('that is out of the range of its key is told so, though it is a duration', () => {
    const text =
      'listeners: { web: {} }\npools: { p: { endpoints: [127.0.0.1:1], retryBudget: { window: 10ms } } }\nroutes: [{ pool: p }]\n';
    expect(complaints(text).join()).toContain('a window is 1s at least');
  });
});

describe('a reference', () => {
  test.each([
    ['to a pool misspelt', `${POOL}routes:\n  - pool: b\n`, '3:11+1 pool “b” does not exist → there is only “a”'],
    ['to a pool where there is none', 'routes:\n  - pool: a\n', '2:11+1 pool “a” does not exist → no pool is defined'],
    [
      'to a listener',
      `${POOL}listeners: { web: { port: 1 } }\nroutes:\n  - { pool: a, listeners: [web, wbe] }\n`,
      '4:33+3 listener “wbe” does not exist → did you mean “web”?',
    ],
    ['of a redirect', listener('redirectTo: https'), '2:32+5 listener “https” does not exist → there is only “web”'],
    ['of a redirect to itself', listener('tls: {}, redirectTo: web'), '2:41+3 listener “web” redirects to itself'],
    [
      'of a redirect to a listener without TLS',
      'listeners:\n  a: { port: 1, redirectTo: b }\n  b: { port: 2 }\n  c: { port: 3, tls: {} }\n',
      '2:29+1 listener “b” has no “tls” → redirect to “c” (3:3 defined here)',
    ],
    [
      'to a name that two routes have',
      `${POOL}routes:\n  - { name: x, pool: a }\n  - { pool: a, name: x }\n`,
      '4:22+1 route “x” is defined twice (3:13 first here)',
    ],
  ])('%s', (_, text, expected) => {
    expect(complaints(text)).toEqual([expected]);
  });

  test('that is near names the near one first, then what else there is', () => {
    const text = 'pools: { users: { endpoints: ["h:1"] }, carts: { endpoints: ["h:1"] } }\nroutes:\n  - pool: usres\n';
    expect(complaints(text)).toEqual([
      '3:11+5 pool “usres” does not exist → did you mean “users”? There is also “carts”',
    ]);
  });
});

test('every mistake is told at once, in the order of the file', () => {
  const text = `
listeners:
  web: { prot: 80, http2: no }
pools:
  a: { endpoints: [], balance: rand }
routes:
  - { pool: b, timeouts: { total: 1x } }
  - { match: { path: x } }
`;
  expect(complaints(text)).toEqual([
    '3:10+4 unknown key “prot” → did you mean “port”?',
    '3:27+2 expected true or false, found “no” → YAML 1.2 reads “no” as text: write false',
    '5:8+9 “endpoints” is empty → it needs at least one item',
    '5:32+4 “rand” is not allowed for “balance” → did you mean “random”?',
    '7:13+1 pool “b” does not exist → there is only “a”',
    '7:35+2 “1x” is not a duration → write 500ms, 5s, 2m, 1h or 1d',
    '8:7+5 a route needs one of pool, split, redirect, respond → add “pool: NAME” to forward what matches',
    '8:22+1 “x” is not a path → did you mean “/x”?',
  ]);
});

test('h2c is not for a listener with TLS', () => {
  expect(complaints(listener('tls: {}, h2c: true'))).toEqual([
    '2:29+3 “h2c” is HTTP/2 without TLS, and this listener has “tls”: HTTP/2 is offered there by ALPN (“http2”) → remove it',
  ]);
  expect(complaints(listener('tls: {}, h2c: false'))).toEqual([]);
});
