import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalAuthority } from '../../../src/control/certificates/local-authority.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 21);

let directory = '';
let now = START;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-ca-'));
  now = START;
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function authority(): LocalAuthority {
  return new LocalAuthority(directory, () => now);
}

test('a leaf is signed by the authority, for every name, with its own key', async () => {
  const pair = await authority().certificateFor(['localhost', '127.0.0.1', '::1', 'app.example.com']);
  const leaf = new X509Certificate(pair.certificate);
  const issuer = new X509Certificate(pair.certificate.slice(pair.certificate.indexOf('-----END') + 26));
  expect(leaf.verify(issuer.publicKey)).toBe(true);
  expect(leaf.checkIssued(issuer)).toBe(true);
  expect(leaf.ca).toBe(false);
  expect(issuer.ca).toBe(true);
  expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
  expect(leaf.checkHost('localhost')).toBe('localhost');
  expect(leaf.checkHost('app.example.com')).toBe('app.example.com');
  expect(leaf.checkHost('other.example.com')).toBeUndefined();
  expect(leaf.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(leaf.checkIP('::1')).toBe('::1');
});

test('keys can be read by their owner alone', async () => {
  await authority().certificateFor(['localhost']);
  for (const file of ['ca-key.pem', 'localhost-key.pem'])
    expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
});

test('what was minted is used again, until it is about to run out', async () => {
  const first = await authority().certificateFor(['localhost']);
  now += 300 * DAY_MS;
  expect(await authority().certificateFor(['localhost'])).toEqual(first);
  now += 80 * DAY_MS;
  const renewed = await authority().certificateFor(['localhost']);
  expect(renewed.certificate).not.toBe(first.certificate);
  expect(new X509Certificate(renewed.certificate).validToDate.getTime()).toBeGreaterThan(now + 300 * DAY_MS);
});

test('a leaf that does not have all the names is replaced', async () => {
  const first = await authority().certificateFor(['localhost', '*.a.test']);
  expect(await authority().certificateFor(['localhost', '*.a.test'])).toEqual(first);
  const second = await authority().certificateFor(['localhost', 'b.test']);
  expect(second.certificate).not.toBe(first.certificate);
  expect(new X509Certificate(second.certificate).checkHost('b.test')).toBe('b.test');
});

test('a leaf of another authority, or with another key, is replaced', async () => {
  const first = await authority().certificateFor(['localhost']);
  rmSync(join(directory, 'ca.pem'));
  const second = await authority().certificateFor(['localhost']);
  expect(second.certificate).not.toBe(first.certificate);
  writeFileSync(join(directory, 'localhost-key.pem'), first.key);
  const third = await authority().certificateFor(['localhost']);
  expect(new X509Certificate(third.certificate).checkPrivateKey(createPrivateKey(third.key))).toBe(true);
});

test('no leaf is valid for longer than clients accept', async () => {
  const leaf = new X509Certificate((await authority().certificateFor(['localhost'])).certificate);
  expect(leaf.validToDate.getTime() - leaf.validFromDate.getTime()).toBeLessThanOrEqual(398 * DAY_MS);
});
