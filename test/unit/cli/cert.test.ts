import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cert } from '../../../src/cli/cert.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-cert-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function certFor(names: string[], options: { out?: string; json?: boolean } = {}) {
  const output = { stdout: '', stderr: '' };
  const code = await cert(
    { names, directory, out: null, json: true, ...options },
    {
      stdout: { write: (text) => (output.stdout += text) },
      stderr: { write: (text) => (output.stderr += text) },
    },
  );
  return { code, ...output };
}

test('a certificate for every name is where it says, the same each time', async () => {
  const first = await certFor(['shop.test', '*.shop.test', '10.0.0.7']);
  const facts = JSON.parse(first.stdout);
  const certificate = new X509Certificate(readFileSync(facts.certificate));
  expect(certificate.subjectAltName).toBe('DNS:shop.test, DNS:*.shop.test, IP Address:10.0.0.7');
  expect(certificate.verify(new X509Certificate(readFileSync(facts.authority)).publicKey)).toBe(true);
  expect(statSync(facts.key).mode & 0o777).toBe(0o600);
  expect(await certFor(['shop.test', '*.shop.test', '10.0.0.7'])).toEqual(first);
});

test('--out puts a copy there, the key for its owner alone, whatever mode the file had', async () => {
  const out = join(directory, 'tls');
  await certFor(['shop.test', 'b.test'], { out });
  writeFileSync(join(out, 'shop.test+1-key.pem'), 'old', { mode: 0o644 });
  const { code, stdout } = await certFor(['shop.test', 'b.test'], { out });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    certificate: join(out, 'shop.test+1.pem'),
    key: join(out, 'shop.test+1-key.pem'),
  });
  expect(statSync(join(out, 'shop.test+1-key.pem')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(out, 'shop.test+1-key.pem'), 'utf8')).toContain('PRIVATE KEY');
});

test('a certificate of somebody else is not overwritten', async () => {
  writeFileSync(join(directory, 'shop.test-key.pem'), 'precious');
  const { code, stderr } = await certFor(['shop.test'], { out: directory });
  expect(code).toBe(1);
  expect(stderr).toContain('there is a certificate for shop.test already that is not of a local CA');
  expect(readFileSync(join(directory, 'shop.test-key.pem'), 'utf8')).toBe('precious');
});

test('for people it is four lines and a date', async () => {
  const { stdout } = await certFor(['a.localhost'], { json: false });
  expect(stdout).toMatch(
    /^certificate {2}\/.*a\.localhost\.pem\nkey {10}\/.*a\.localhost-key\.pem\nauthority {4}\/.*ca\.pem\nnames {8}a\.localhost\nvalid until {2}\d{4}-\d\d-\d\d\n$/,
  );
});
