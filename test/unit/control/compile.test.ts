import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject, loadConfig } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import { LocalAuthority } from '../../../src/control/certificates/local-authority.ts';

let directory = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-compile-'));
  const authority = new LocalAuthority({ directory, now: () => Date.now() });
  for (const name of ['a.test', 'b.test']) {
    const files = await authority.filesFor([name]);
    copyFileSync(files.certificate, join(directory, `${name}.pem`));
    copyFileSync(files.key, join(directory, `${name}-key.pem`));
  }
  writeFileSync(join(directory, 'garbage.pem'), 'garbage');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What `headgate check` says beyond the schema: line and message of each complaint. */
function complaints(config: ConfigInput): string[] {
  const loaded = configFromObject(config);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map((diagnostic) => diagnostic.message).join('\n'));
  return mistakesIn(loaded).map(({ line, message }) => `${line}: ${message}`);
}

function tls(certificate: string, key: string): ConfigInput {
  const file = (name: string): string => join(directory, name);
  return { listeners: { https: { port: 0, tls: { certificate: file(certificate), key: file(key) } } } };
}

describe('the certificate that a pool shows to its endpoints', () => {
  const pool = (over: Record<string, string>): ConfigInput => ({
    listeners: { http: { port: 0 } },
    pools: { shop: { endpoints: ['https://shop.test'], tls: over } },
  });
  const file = (name: string): string => join(directory, name);

  test('and its key are fine', () => {
    expect(complaints(pool({ certificate: file('a.test.pem'), key: file('a.test-key.pem') }))).toEqual([]);
  });

  test.each([
    ['that is not there', 'x.pem', 'a.test-key.pem', /^\d+: cannot read “.*x\.pem”: ENOENT$/],
    ["with another one's key", 'a.test.pem', 'b.test-key.pem', /^\d+: the key is not that of the certificate$/],
    ['that is none', 'garbage.pem', 'a.test-key.pem', /^\d+: the file holds no PEM certificate$/],
    ['whose key is none', 'a.test.pem', 'garbage.pem', /^\d+: the file holds no PEM private key$/],
  ])('%s is a mistake', (_what, certificate, key, message) => {
    expect(complaints(pool({ certificate: file(certificate), key: file(key) }))).toEqual([
      expect.stringMatching(message),
    ]);
  });

  test.each([
    [{ certificate: 'a.pem' }, 'a certificate needs its “key”'],
    [{ key: 'a.pem' }, 'a key needs its “certificate”'],
    [{ passphrase: 'x' }, 'there is no “key” that it could be of'],
  ])('%o is a mistake of the schema', (over, message) => {
    expect(() => complaints(pool(over as unknown as Record<string, string>))).toThrow(message);
  });
});

describe('certificates of a listener', () => {
  test('a certificate and its key are fine', () => {
    expect(complaints(tls('a.test.pem', 'a.test-key.pem'))).toEqual([]);
  });

  test('files that are not there are both named', () => {
    expect(complaints(tls('x.pem', 'y.pem'))).toEqual([
      `5: cannot read “${join(directory, 'x.pem')}”: ENOENT`,
      `6: cannot read “${join(directory, 'y.pem')}”: ENOENT`,
    ]);
  });

  test("another certificate's key is refused", () => {
    expect(complaints(tls('a.test.pem', 'b.test-key.pem'))).toEqual(['6: the key is not that of the certificate']);
  });

  test('files that hold something else are refused', () => {
    expect(complaints(tls('garbage.pem', 'garbage.pem'))).toEqual([
      '5: the file holds no PEM certificate',
      '6: the file holds no PEM private key',
    ]);
  });
});

describe('what the schema cannot see', () => {
  test('a PROXY header is not for connections of many clients', () => {
    const config: ConfigInput = {
      listeners: { web: { port: 0 } },
      pools: { shop: { endpoints: ['127.0.0.1:1'], protocol: 'http2', proxyProtocol: 'v2' } },
    };
    expect(complaints(config)).toEqual([expect.stringMatching(/a PROXY header names the one client of a connection/)]);
  });

  test('every mistake is told at once, in source order', () => {
    const config: ConfigInput = {
      listeners: { web: { port: 0, trustedProxies: ['10.0.0.0/33'] } },
      pools: { shop: { endpoints: ['127.0.0.1:1', 'http://127.0.0.1:1'] } },
      routes: [
        { match: { path: '/a/**' }, pool: 'shop', requestHeaders: { set: { 'X-User': '{usr}' } } },
        { match: { path: { regex: '(' } }, redirect: { to: '/' } },
        { match: { client: 'nobody' }, respond: {} },
      ],
    };
    expect(complaints(config).map((line) => line.slice(0, 40))).toEqual([
      expect.stringMatching(/^5: "10\.0\.0\.0\/33"/),
      expect.stringMatching(/^10: endpoint “http:\/\/127\.0\.0\.1:1”/),
      expect.stringMatching(/^17: .*usr/),
      expect.stringMatching(/^20: "\("/),
      expect.stringMatching(/^24: "nobody"/),
    ]);
  });

  test('a route that another one hides is refused, and the other one named', () => {
    const config: ConfigInput = {
      listeners: { web: { port: 0 } },
      pools: { shop: { endpoints: ['127.0.0.1:1'] } },
      routes: [
        { name: 'all', match: { path: '/a/**' }, priority: 1, pool: 'shop' },
        { name: 'lost', match: { path: '/a/**' }, pool: 'shop' },
      ],
    };
    const [complaint, ...rest] = complaints(config);
    expect(complaint).toContain('lost');
    expect(complaint).toContain('all');
    expect(rest).toEqual([]);
  });
});

describe('listeners beside each other', () => {
  test('there must be one', () => {
    expect(complaints({ routes: [{ respond: {} }] })).toEqual([
      expect.stringContaining('no listener is defined: nobody could reach the gateway'),
    ]);
  });

  test.each([
    ['two listeners', { a: { port: 8080 }, b: { port: 8080 } }, ['5: port 8080 is that of listener “a” already']],
    [
      'one on every address, one on a single one',
      { a: { port: 8080, address: '127.0.0.1' }, b: { port: 8080 } },
      ['6: port 8080 is that of listener “a” already'],
    ],
    [
      'a listener and the admin listener',
      { a: { port: 4600 } },
      ['3: port 4600 is that of the admin listener already'],
    ],
    ['two addresses', { a: { port: 80, address: '192.0.2.1' }, b: { port: 80, address: '192.0.2.2' } }, []],
    ['any free port, twice', { a: { port: 0 }, b: { port: 0 } }, []],
  ])('one port for %s', (_, listeners, expected) => {
    expect(complaints({ listeners })).toEqual(expected);
  });

  test('the port of a redirect means nothing without one', () => {
    const listeners = { a: { port: 1, redirectPort: 443 } };
    expect(complaints({ listeners })).toEqual(['4: redirectPort means nothing without redirectTo']);
  });

  test('a redirect leads to a listener that does not redirect', () => {
    const listeners = {
      a: { port: 1, redirectTo: 'b' },
      b: { port: 2, tls: {}, redirectTo: 'c' },
      c: { port: 3, tls: {} },
    };
    expect(complaints({ listeners })).toEqual(['4: listener “b” itself redirects, to “c”']);
  });

  test('a route of a listener that only redirects can never match', () => {
    const listeners = { a: { port: 1, redirectTo: 'b' }, b: { port: 2, tls: {} } };
    const route = (name: string, names: string[]) => ({ match: { path: `/${name}` }, listeners: names, respond: {} });
    expect(complaints({ listeners, routes: [route('x', ['a', 'b']), route('y', ['a'])] })).toEqual([
      expect.stringContaining('the route can never match: its listeners answer everything with a redirect'),
    ]);
  });
});

describe('routes by client certificate', () => {
  test('where nobody is asked for one they can never match', () => {
    const route = (clientCertificate: object) => ({ match: { clientCertificate }, respond: {} });
    const message =
      'the route can never match: none of its listeners asks clients for a certificate (clientCertificates)';
    const listeners = { a: { port: 1 } };
    expect(complaints({ listeners, routes: [route({ subject: 'CN=a' })] })).toEqual([expect.stringContaining(message)]);
    expect(complaints({ listeners, routes: [route({ subject: { absent: true } })] })).toEqual([]);
    const pair = { certificate: join(directory, 'a.test.pem'), key: join(directory, 'a.test-key.pem') };
    const clientCertificates = { mode: 'request', ca: pair.certificate } as const;
    const both = { ...listeners, b: { port: 2, tls: { ...pair, clientCertificates } } };
    expect(complaints({ listeners: both, routes: [route({ subject: 'CN=a' })] })).toEqual([]);
  });

  test('a test of nothing is not taken for any certificate', () => {
    const routes = [{ match: { clientCertificate: {} }, respond: {} }];
    expect(() => complaints({ listeners: { a: { port: 1 } }, routes })).toThrow('say what must be true of it');
  });
});

describe('mistakes of both kinds', () => {
  const place = ({ line, message }: { line: number; message: string }): string => `${line}: ${message.slice(0, 30)}`;

  test('what the schema refuses hides nothing that only the compiler sees', () => {
    const input = {
      listeners: { web: { port: 0, trustedProxies: ['10.0.0.0/33'] }, other: { prot: 1 } },
      pools: { a: { endpoints: ['h:1', 'h:1'] }, b: { endpoints: ['h'] } },
      routes: [
        { match: { path: { regex: '(' } }, pool: 'c' },
        { match: { client: 'nobody' }, pool: 'a', timeouts: { head: 5 } },
        { match: { path: '/{id}' }, pool: 'b', requestHeaders: { set: { A: '{id}{di}' } } },
      ],
    };
    expect(mistakesIn(configFromObject(input)).map(place)).toEqual([
      '5: "10.0.0.0/33" needs a prefix l',
      '7: unknown key “prot”',
      '12: endpoint “http://h:1” is in th',
      '15: “h” is not an endpoint address',
      '19: "(" is not a regular expressio',
      '20: pool “c” does not exist',
      '22: "nobody" is not an IP address',
      '25: “5” is not a duration',
      '31: unknown variable {di} (did you',
    ]);
  });

  test('what is broken causes no second complaint', () => {
    const input = {
      listeners: { web: { prot: 0 } },
      pools: { a: {} },
      routes: [
        { mtach: { path: '/{id}' }, pool: 'a', requestHeaders: { set: { A: '{id}' } } },
        { pool: 'a' },
        { name: 'not-known-to-be-hidden', pool: 'a' },
      ],
      acess: 1,
    };
    expect(mistakesIn(configFromObject(input)).map(({ message }) => message)).toEqual([
      'unknown key “prot”',
      'missing key “endpoints”',
      'unknown key “mtach”',
      'unknown key “acess”',
    ]);
  });

  test('nothing is left of a file that is no configuration', () => {
    expect(mistakesIn(configFromObject(['a'])).map(({ message }) => message)).toEqual(['a file holds sections']);
  });
});

describe(`a value that came from \${…}`, () => {
  function complaintsAbout(routes: string): string[] {
    const file = join(directory, 'secret.yaml');
    writeFileSync(file, `listeners: { web: { port: 0 } }\nroutes:\n  - { respond: {}, ${routes} }\n`);
    return mistakesIn(loadConfig(file, { TOKEN: 's3cr{et}v' })).map(({ column, message }) => `${column}: ${message}`);
  }

  test.each([
    ['whole', `match: { client: "\${TOKEN}" }`, `37: "\${TOKEN}" is not an IP address`],
    ['whole, in a list', `match: { client: ["\${TOKEN}"] }`, `38: "\${TOKEN}" is not an IP address`],
    [
      'within a regex',
      `match: { path: { regex: "\${TOKEN}(" } }`,
      `44: "\${TOKEN}(" is not a regular expression (RE2): missing closing ): \`\${TOKEN}(\``,
    ],
    ['in part', `match: { path: "/\${TOKEN}" }`, `35: what “/\${TOKEN}” stands for can’t be used here`],
    [
      'as what would be a variable',
      `responseHeaders: { set: { A: "x \${TOKEN}" } }`,
      `49: what “x \${TOKEN}” stands for can’t be used here`,
    ],
  ])('is not shown %s', (_, route, expected) => {
    expect(complaintsAbout(route)).toEqual([expected]);
  });
});
