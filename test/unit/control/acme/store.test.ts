import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AcmeStore } from '../../../../src/control/certificates/acme/store.ts';
import { certificateFor } from '../../../kit/certificate.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-acme-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const account = { keyPem: 'pem', url: 'https://ca.test/1', email: null, eabKid: null };

function store(url = 'https://ca.test:14000/acme/directory'): AcmeStore {
  return new AcmeStore(directory, url);
}

async function pairFor(...names: string[]) {
  const { cert, key } = await certificateFor(names);
  return { certificate: cert, key };
}

test('everything is for its owner alone, in a directory of the authority', async () => {
  await store().writeAccount(account);
  await store().writeCertificate(['shop.test'], await pairFor('shop.test'));
  const path = join(directory, 'acme', 'ca.test_14000', 'acme_directory');
  expect(store().directory).toBe(path);
  const files = readdirSync(path);
  expect(files).toHaveLength(2);
  for (const file of files) expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
  for (const folder of [path, join(path, '..'), join(directory, 'acme')]) {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  }
});

test.each([
  'https://ca.test/..%2f..%2fetc',
  'https://ca.test/',
  `https://ca.test/${'x'.repeat(5000)}`,
  'https://[::1]:14000/dir',
])('no directory URL leads out of the store: %s', (url) => {
  const path = store(url).directory.slice(join(directory, 'acme').length + 1);
  expect(path).toMatch(/^[\w.-]+\/[\w-][\w.-]{0,199}$/);
});

test('what was written is read again, by the same names in any order', async () => {
  const pair = await pairFor('a.test', 'b.test');
  await store().writeCertificate(['a.test', 'b.test'], pair);
  expect(await store().readCertificate(['b.test', 'a.test'])).toMatchObject({ certificate: pair.certificate });
  expect(await store().readCertificate(['a.test'])).toBeNull();
  expect(await store().readCertificate(['a.test', 'b.test', 'c.test'])).toBeNull();
  await store().writeAccount(account);
  expect(await store().readAccount()).toEqual(account);
});

test('gateways that write at once, with one process id in two containers, do not mix what they write', async () => {
  const accounts = ['https://ca.test/1', 'https://ca.test/2', 'https://ca.test/3'].map((url) => ({ ...account, url }));
  await Promise.all(accounts.map((written) => store().writeAccount(written)));
  expect(accounts).toContainEqual(await store().readAccount());
  expect(readdirSync(store().directory)).toEqual(['account.json']);
});

test('what can’t be put in its place leaves no key lying about', async () => {
  mkdirSync(join(store().directory, 'account.json'), { recursive: true });
  await expect(store().writeAccount(account)).rejects.toThrow('EISDIR');
  expect(readdirSync(store().directory)).toEqual(['account.json']);
});

test('a key that was left open to others is closed to them when it is read', async () => {
  await store().writeAccount(account);
  const file = join(store().directory, 'account.json');
  chmodSync(file, 0o644);
  expect(await store().readAccount()).toEqual(account);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('nothing stored is nothing, not an error', async () => {
  expect(await store().readAccount()).toBeNull();
  expect(await store().readCertificate(['a.test'])).toBeNull();
});

test('a certificate of other names, without its key, or half of one, is none', async () => {
  const pair = await pairFor('a.test');
  await store().writeCertificate(['a.test'], pair);
  const [name = ''] = readdirSync(store().directory);
  const file = join(store().directory, name);
  const whole = readFileSync(file, 'utf8');
  const other = await pairFor('a.test');
  const elsewhere = await pairFor('b.test');
  for (const text of ['', whole.slice(0, -200), pair.certificate, `${other.key}${pair.certificate}`]) {
    writeFileSync(file, text);
    expect(await store().readCertificate(['a.test'])).toBeNull();
  }
  writeFileSync(file, `${elsewhere.key}${elsewhere.certificate}`);
  expect(await store().readCertificate(['a.test'])).toBeNull();
  writeFileSync(file, whole);
  expect(await store().readCertificate(['a.test'])).not.toBeNull();
});

test.each(['', '{', 'null', '[]', '"x"', '{"keyPem":7}'])('an account file that holds %j is none', async (text) => {
  await store().writeAccount(account);
  writeFileSync(join(store().directory, 'account.json'), text);
  expect(await store().readAccount()).toBeNull();
});
