import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileOnly } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import { LocalAuthority } from '../../../src/control/certificates/local-authority.ts';

let directory = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-compile-'));
  const authority = new LocalAuthority(directory, () => Date.now());
  await authority.certificateFor(['a.test']);
  await authority.certificateFor(['b.test']);
  writeFileSync(join(directory, 'garbage.pem'), 'garbage');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What `headgate check` says beyond the schema: line and message of each complaint. */
function complaints(config: ConfigInput): string[] {
  const loaded = configFromObject(config);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map((diagnostic) => diagnostic.message).join('\n'));
  const compiled = compileOnly(loaded);
  return compiled.ok ? [] : compiled.diagnostics.map(({ line, message }) => `${line}: ${message}`);
}

function tls(certificate: string, key: string): ConfigInput {
  const file = (name: string): string => join(directory, name);
  return { listeners: { https: { port: 0, tls: { certificate: file(certificate), key: file(key) } } } };
}

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
      '6: the file holds no PEM private key without a passphrase',
    ]);
  });
});

describe('what the schema cannot see', () => {
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
      expect.stringMatching(/^19: "\("/),
      expect.stringMatching(/^24: "nobody"/),
    ]);
  });

  test('a route that another one hides is refused, and the other one named', () => {
    const config: ConfigInput = {
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
