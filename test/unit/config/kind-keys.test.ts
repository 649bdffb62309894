import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'headgate-kinds-'));
afterAll(() => rmSync(folder, { recursive: true }));

const POOLS = 'pools: { db: { endpoints: ["127.0.0.1:1"] }, web: { endpoints: ["127.0.0.1:2"] } }\n';

/** What loading says of these lines behind those of `POOLS`: code, line, column, message. */
function complaints(text: string): string[] {
  const file = join(folder, 'x.yaml');
  writeFileSync(file, `${POOLS}${text}`);
  const result = loadConfig(file, {});
  if (result.ok) return [];
  return result.diagnostics.map(({ code, line, column, message, suggestion, notes }) => {
    const also = notes.map((note) => ` (${note.line}:${note.column} ${note.message})`).join('');
    return `${code} ${line}:${column} ${message}${suggestion === null ? '' : ` → ${suggestion}`}${also}`;
  });
}

describe('a listener of kind tcp', () => {
  test.each([
    'listeners: { db: { port: 1, kind: tcp, pool: db } }',
    'listeners: { db: { port: 1, kind: tcp, passthrough: [{ sni: a.example, pool: db }] } }',
    'listeners: { db: { port: 1, kind: tcp, pool: db, trustedProxies: [10.0.0.1], limits: { headTimeout: 5s, connections: 9 } } }',
  ])('%s', (text) => {
    expect(complaints(text)).toEqual([]);
  });

  test('leads somewhere', () => {
    expect(complaints('listeners: { db: { port: 1, kind: tcp } }')).toEqual([
      'HG0106 2:14 listener “db” of kind tcp leads nowhere: give it “pool”, “passthrough”, or both',
    ]);
  });

  test('leads to pools that exist', () => {
    expect(
      complaints('listeners: { db: { port: 1, kind: tcp, pool: bd, passthrough: [{ sni: a.example, pool: wep }] } }'),
    ).toEqual([
      'HG0103 2:46 pool “bd” does not exist → did you mean “db”? There is also “web”',
      'HG0103 2:88 pool “wep” does not exist → did you mean “web”? There is also “db”',
    ]);
  });

  test.each([
    ['tls', '{}', 'to terminate some names, use kind http with “tls” and “passthrough”'],
    ['http2', 'true', 'remove it'],
    ['path', '{ dotSegments: refuse }', 'remove it'],
    ['forwardedBy', 'forwarded', 'remove it'],
    ['underscores', 'keep', 'remove it'],
  ])('has no %s', (key, value, suggestion) => {
    expect(complaints(`listeners: { db: { port: 1, kind: tcp, pool: db, ${key}: ${value} } }`)).toEqual([
      `HG0106 2:50 “${key}” means nothing on a listener of kind tcp: its connections are forwarded as they are → ${suggestion}`,
    ]);
  });

  test('has no limits of requests', () => {
    expect(complaints('listeners: { db: { port: 1, kind: tcp, pool: db, limits: { streams: 5 } } }')).toEqual([
      'HG0106 2:60 “streams” means nothing on a listener of kind tcp: its connections are forwarded as they are → remove it',
    ]);
  });

  test('a key that exists nowhere is one mistake', () => {
    expect(complaints('listeners: { db: { port: 1, kind: tcp, pool: db, tsl: {} } }')).toHaveLength(1);
  });

  test('a kind that exists nowhere is one mistake', () => {
    expect(complaints('listeners: { db: { port: 1, kind: udp, pool: db } }')).toHaveLength(1);
  });

  test('has no routes', () => {
    const text = 'listeners: { db: { port: 1, kind: tcp, pool: db } }\nroutes: [{ pool: web, listeners: [db] }]';
    expect(complaints(text)).toEqual([
      'HG0103 3:35 listener “db” is of kind tcp: it knows no requests, so no routes (2:14 defined here)',
    ]);
  });
});

describe('a listener of kind http', () => {
  test('names no pool', () => {
    expect(complaints('listeners: { web: { port: 1, pool: db } }')).toEqual([
      'HG0106 2:30 “pool” of a listener is for kind tcp: here routes name the pools',
    ]);
  });

  test('passes nothing through without TLS', () => {
    expect(complaints('listeners: { web: { port: 1, passthrough: [{ sni: a.example, pool: db }] } }')).toEqual([
      'HG0106 2:30 “passthrough” chooses among TLS connections, and this listener has no “tls” → add “tls” to terminate the other names, or write “kind: tcp”',
    ]);
  });

  test('with TLS may', () => {
    const text =
      'listeners: { web: { port: 1, tls: {}, passthrough: [{ sni: [a.example, "*.b.example"], pool: db }] } }';
    expect(complaints(text)).toEqual([]);
  });
});

describe('server names', () => {
  test('stand once, in whatever case', () => {
    const text =
      'listeners: { db: { port: 1, kind: tcp, passthrough: [{ sni: a.example, pool: db }, { sni: [b, A.Example], pool: web }] } }';
    expect(complaints(text)).toEqual(['HG0104 2:95 server name “A.Example” is listed twice (2:61 first here)']);
  });

  test.each(['"*"', '"a.*"', 'https://a.example', '"a b"', '"*."', 'a.example.'])('%s is none', (name) => {
    const text = `listeners: { db: { port: 1, kind: tcp, passthrough: [{ sni: ${name}, pool: db }] } }`;
    expect(complaints(text)).toEqual([expect.stringContaining('is not a server name')]);
  });
});

describe('the sessions of a pool', () => {
  const affinity = (keys: string): string => {
    const file = join(folder, 'z.yaml');
    const text = 'listeners: { db: { port: 1, kind: tcp, pool: x } }\n';
    writeFileSync(file, `${text}pools: { x: { endpoints: ["h:1"], affinity: ${keys} } }\n`);
    const result = loadConfig(file, {});
    return result.ok ? '' : result.diagnostics.map(({ message }) => message).join('\n');
  };

  test.each([
    '{}',
    '{ cookie: a, secret: 0123456789abcdef, path: /, sameSite: none }',
    '{ secret: [0123456789abcdef, fedcba9876543210] }',
    '{ cookie: __Host-a, secure: always }',
    '{ cookie: __Secure-a, sameSite: none, path: /a, domain: a.test }',
    '{ maxAge: 0 }',
    '{ learn: JSESSIONID, sessions: 10, idle: 1h }',
    '{ header: X-Session }',
  ])('may be %s', (keys) => {
    expect(affinity(keys)).toBe('');
  });

  test.each([
    [
      '{ learn: A, header: B }',
      '“header” can’t stand here: a session is known by one thing: “learn” and “header” exclude each other',
    ],
    [
      '{ learn: A, path: / }',
      '“path” can’t stand here: it is about a cookie of our own, and with “learn” there is none',
    ],
    [
      '{ header: A, secret: 0123456789abcdef }',
      '“secret” can’t stand here: it is about a cookie of our own, and with “header” there is none',
    ],
    [
      '{ cookie: a, idle: 1m }',
      '“idle” can’t stand here: it is about sessions that are remembered, and our cookie needs no memory',
    ],
    [
      '{ sameSite: none, secure: never }',
      'browsers drop a cookie with SameSite=None that is not Secure: write secure: auto, or sameSite: lax',
    ],
    ['{ maxAge: 500ms }', '“maxAge” is in whole seconds: 1s at least, or 0 for a session cookie'],
    ['{ learn: a, idle: 0 }', '“idle” is above 0: a session has to be remembered for some time'],
    ['{ cookie: __Secure-a }', 'the prefix of this name promises Secure (RFC 6265bis §4.1.3): write secure: always'],
    [
      '{ cookie: __Host-a, secure: always, path: /a }',
      '“__Host-” promises the path / and no domain (RFC 6265bis §4.1.3)',
    ],
    [
      '{ cookie: __host-a, secure: always, domain: a.test }',
      '“__Host-” promises the path / and no domain (RFC 6265bis §4.1.3)',
    ],
  ])('may not be %s', (keys, message) => {
    expect(affinity(keys)).toBe(message);
  });
});

describe('a health check', () => {
  test('has no keys of another type', () => {
    const text = 'listeners: { db: { port: 1, kind: tcp, pool: x } }\n';
    const pool = (health: string): string => {
      const file = join(folder, 'y.yaml');
      writeFileSync(file, `${text}pools: { x: { endpoints: ["h:1"], health: ${health} } }\n`);
      const result = loadConfig(file, {});
      return result.ok ? '' : result.diagnostics.map(({ message }) => message).join('\n');
    };
    expect(pool('{ type: tcp, interval: 1s, rise: 1 }')).toBe('');
    expect(pool('{ type: tcp, path: /healthz, expect: [200] }')).toBe(
      '“path” means nothing for a check of type tcp: nothing is requested\n' +
        '“expect” means nothing for a check of type tcp: nothing is requested',
    );
    expect(pool('{ type: grpc, service: shop, host: a.test, headers: { X-A: b } }')).toBe('');
    expect(pool('{ type: grpc, body: { contains: ok } }')).toMatch(/^“body” means nothing for a check of type grpc: /);
    expect(pool('{ service: shop }')).toBe(
      '“service” means nothing for a check of type http: only a gRPC call names a service',
    );
  });
});
