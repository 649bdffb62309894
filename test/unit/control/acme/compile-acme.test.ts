import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compileOnly, mistakesIn } from '../../../../src/cli/compile-only.ts';
import { effective } from '../../../../src/config/effective.ts';
import { effectiveYaml } from '../../../../src/config/effective-yaml.ts';
import { configFromObject } from '../../../../src/config/load.ts';
import { withoutSecrets } from '../../../../src/config/secret-values.ts';
import { certificateFor } from '../../../kit/certificate.ts';

const directory = mkdtempSync(join(tmpdir(), 'headgate-acme-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const http = { port: 0, redirectTo: 'https' };

function load(acme: object, listeners: object = { http }) {
  return configFromObject({ listeners: { https: { port: 0, tls: { acme } }, ...listeners } });
}

/** What `headgate check` says. */
function complaints(acme: object, listeners?: object): string[] {
  return mistakesIn(load(acme, listeners)).map(({ message }) => message);
}

function plan(acme: object) {
  const loaded = load(acme);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  const compiled = compileOnly(loaded);
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ message }) => message).join('\n'));
  return { ...compiled.acme.get('https'), minted: compiled.certificates.get('https')?.minted };
}

test("Let's Encrypt is asked unless another directory is named, and its staging environment on demand", () => {
  expect(plan({ names: 'shop.test' }).directoryUrl).toBe('https://acme-v02.api.letsencrypt.org/directory');
  expect(plan({ names: 'shop.test', staging: true }).directoryUrl).toMatch(/^https:\/\/acme-staging-v02\./);
  expect(plan({ names: 'shop.test', directory: 'https://ca.test/dir' }).directoryUrl).toBe('https://ca.test/dir');
});

test('names are compared without case, once each; the local CA mints nothing beside them', () => {
  const { names, minted } = plan({ names: ['Shop.Test', 'shop.test', 'xn--bcher-kva.test'] });
  expect(names).toEqual(['shop.test', 'xn--bcher-kva.test']);
  expect(minted).toBeNull();
});

describe('refused is', () => {
  test.each<[string, object, RegExp]>([
    ['no name', { names: [] }, /./],
    ['a wildcard', { names: '*.shop.test' }, /a wildcard would need the challenge dns-01/],
    ['a name in other letters', { names: 'bücher.test' }, /is not a DNS name/],
    ['a name with a port', { names: 'shop.test:443' }, /is not a DNS name/],
    ['an address', { names: '::1' }, /is not a DNS name/],
    ['an IPv4 address', { names: '192.0.2.1' }, /is not a DNS name/],
    ['more than 100 names', { names: Array.from({ length: 101 }, (_, n) => `n${n}.test`) }, /100 names at most/],
    ['a directory without TLS', { names: 'a.test', directory: 'http://ca.test/' }, /an https:\/\/ URL/],
    ['a directory beside staging', { names: 'a.test', directory: 'https://ca.test/', staging: true }, /staging is Let/],
    ['an address that is none', { names: 'a.test', email: 'ops' }, /is not an e-mail address/],
    ['two addresses', { names: 'a.test', email: 'a@b.test,c@d.test' }, /is not an e-mail address/],
    ['a MAC key that is none', { names: 'a.test', eab: { kid: 'k', hmac: 'a b' } }, /a MAC key is base64url/],
    [
      'a root that is not there',
      { names: 'a.test', ca: join(directory, 'none.pem') },
      /cannot read “.*none.pem”: ENOENT/,
    ],
  ])('%s', (_what, acme, message) => {
    expect(complaints(acme)).toEqual([expect.stringMatching(message)]);
  });

  test('a root that is no certificate', async () => {
    const file = join(directory, 'root.pem');
    writeFileSync(file, 'garbage');
    expect(complaints({ names: 'a.test', ca: file })).toEqual(['the file holds no PEM certificate']);
    writeFileSync(file, (await certificateFor(['ca.test'])).cert);
    expect(complaints({ names: 'a.test', ca: file })).toEqual([]);
  });

  test('http-01 without a listener that could answer', () => {
    const acme = { names: 'a.test', challenge: 'http-01' };
    expect(complaints(acme)).toEqual([]);
    expect(complaints(acme, {})).toEqual([expect.stringMatching(/no listener is without tls/)]);
    expect(complaints({ ...acme, challenge: 'tls-alpn-01' }, {})).toEqual([]);
  });
});

test('the MAC key of an external account is never shown', () => {
  const hmac = Buffer.alloc(32, 1).toString('base64url');
  const loaded = load({ names: 'a.test', eab: { kid: 'key-7', hmac } });
  if (!loaded.ok) throw new Error('The configuration was refused');
  const shown = effectiveYaml(withoutSecrets(effective(loaded.origins.root)), { origins: false });
  expect(shown).toContain('key-7');
  expect(shown).not.toContain(hmac);
});
