import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import { readTlsSettings, type TlsSettings } from '../../../src/control/tls/tls-settings.ts';
import { ClientAuthority } from '../../kit/client-authority.ts';

type TlsInput = NonNullable<NonNullable<ConfigInput['listeners']>[string]['tls']>;

async function read(tls: TlsInput): Promise<{ settings: TlsSettings | null; messages: readonly string[] }> {
  const loaded = configFromObject({ listeners: { web: { port: 0, tls } } });
  if (!loaded.ok) return { settings: null, messages: loaded.diagnostics.map(({ message }) => message) };
  const config = loaded.config.listeners['web']?.tls;
  if (config === undefined) throw new Error('The configuration has no TLS');
  const reading = readTlsSettings(config);
  return reading.ok
    ? { settings: reading.settings, messages: [] }
    : { settings: null, messages: reading.problems.map(({ message }) => message) };
}

async function file(text: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'headgate-tls-')), 'file');
  await writeFile(path, text);
  return path;
}

const key = (): string => randomBytes(48).toString('base64');

describe('minVersion and profile', () => {
  test.each([
    [{}, '1.2'],
    [{ minVersion: '1.3' }, '1.3'],
    [{ minVersion: 1.3 }, '1.3'],
    [{ minVersion: 1.2 }, '1.2'],
    [{ profile: 'modern' }, '1.3'],
  ] as const)('%j begins at TLS %s', async (tls, minVersion) => {
    expect((await read(tls)).settings?.minVersion).toBe(minVersion);
  });

  test('older versions are no choice (RFC 8996)', async () => {
    expect((await read({ minVersion: '1.1' as '1.2' })).messages).toHaveLength(1);
  });
});

test('preload goes with what the list of browsers asks for, or is a mistake', async () => {
  expect((await read({ hsts: { preload: true, includeSubDomains: true, maxAge: '365d' } })).messages).toEqual([]);
  for (const hsts of [{ preload: true }, { preload: true, includeSubDomains: true, maxAge: '364d' }] as const) {
    expect((await read({ hsts })).messages).toEqual([
      'preload is for includeSubDomains and a maxAge of 365d at least: the list takes nothing else',
    ]);
  }
});

describe('session tickets', () => {
  test('keys rotate twice a day', async () => {
    expect((await read({})).settings?.tickets).toEqual({ kind: 'rotating', rotationMs: 12 * 3_600_000 });
  });

  test('a key is kept for a minute at least and a week at most (RFC 8446 §4.6.1)', async () => {
    for (const ticketRotation of ['59s', '8d', 0] as const) {
      expect((await read({ ticketRotation })).messages).toEqual([
        'session ticket keys are renewed after 1m at least and 7d at most',
      ]);
    }
  });

  test('a key file holds keys of 48 octets in base64, newest first', async () => {
    const [newest, oldest] = [key(), key()];
    const { settings } = await read({ ticketKeys: await file(`# keys\n${newest}\n\n${oldest}\n`) });
    expect(settings?.tickets).toEqual({
      kind: 'file',
      secrets: [Buffer.from(newest, 'base64'), Buffer.from(oldest, 'base64')],
    });
  });

  test.each([
    ['# none', /holds no key; make one with openssl rand -base64 48/],
    ['', /the file is empty/],
    ['hello\n', /^line 1 is not 48 octets in base64$/],
    [`${key()}\n${randomBytes(32).toString('base64')}\n`, /^line 2 is not 48 octets in base64$/],
    [Array.from({ length: 17 }, key).join('\n'), /more than 16 keys/],
  ])('a key file that is none is a complaint that shows nothing of it', async (text, message) => {
    const { settings, messages } = await read({ ticketKeys: await file(text) });
    expect(settings).toBeNull();
    expect(messages).toEqual([expect.stringMatching(message)]);
  });

  test('a key file that is not there is a complaint, unless there are no tickets', async () => {
    expect((await read({ ticketKeys: '/nowhere/keys' })).messages).toEqual(['cannot read “/nowhere/keys”: ENOENT']);
    expect((await read({ ticketKeys: '/nowhere/keys', sessionTickets: false })).messages).toEqual([]);
  });
});

describe('client certificates', () => {
  test('the CA bundle and every revocation list of the file are read', async () => {
    const [one, two] = [await ClientAuthority.create('one'), await ClientAuthority.create('two')];
    const lists = [await one.revoke(), await two.revoke()];
    const ca = await file(`# both\n${one.cert}${two.cert}`);
    const { settings } = await read({ clientCertificates: { mode: 'require', ca, crl: await file(lists.join('')) } });
    expect(settings?.clientCertificates).toMatchObject({ mode: 'require', crls: lists.map((list) => list.trim()) });
  });

  test.each([
    [{ ca: 'hello' }, ['the file holds no PEM certificates, or one that can’t be read']],
    [
      { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      ['the file holds no PEM certificates, or one that can’t be read'],
    ],
    [{ ca: '', crl: '' }, ['the file is empty', 'the file is empty']],
    [{ crl: 'hello' }, ['the file holds no PEM revocation lists (“X509 CRL”), or one that can’t be read']],
  ])('files that hold something else are complaints: %j', async (texts: { ca?: string; crl?: string }, messages) => {
    const ca = await file(texts.ca ?? (await ClientAuthority.create('one')).cert);
    const crl = texts.crl === undefined ? {} : { crl: await file(texts.crl) };
    expect(await read({ clientCertificates: { mode: 'request', ca, ...crl } })).toEqual({ settings: null, messages });
  });

  test('a file that is not there is a complaint', async () => {
    const { messages } = await read({ clientCertificates: { mode: 'request', ca: '/nowhere/ca.pem' } });
    expect(messages).toEqual(['cannot read “/nowhere/ca.pem”: ENOENT']);
  });
});

describe('the scope of sessions', () => {
  const scope = async (tls: TlsInput): Promise<string | undefined> => (await read(tls)).settings?.scope;

  test('is the same for listeners that show the same certificates under the same conditions', async () => {
    expect(await scope({ names: ['a.test'], ticketRotation: '1h' })).toBe(await scope({ names: 'a.test' }));
  });

  test('is another for other certificates or conditions, and for another revocation list', async () => {
    const one = await ClientAuthority.create('one');
    const [ca, crl] = [await file(one.cert), await file(await one.revoke())];
    const scopes = await Promise.all([
      scope({}),
      scope({ names: 'a.test' }),
      scope({ minVersion: '1.3' }),
      scope({ profile: 'modern' }),
      scope({ clientCertificates: { mode: 'request', ca } }),
      scope({ clientCertificates: { mode: 'require', ca } }),
      scope({ clientCertificates: { mode: 'require', ca, crl } }),
    ]);
    expect(new Set(scopes).size).toBe(7);
    await writeFile(crl, await one.revoke(await one.issue()));
    expect(scopes).not.toContain(await scope({ clientCertificates: { mode: 'require', ca, crl } }));
  });

  test('has at most 32 characters, which is what OpenSSL takes', async () => {
    expect((await scope({}))?.length).toBe(32);
  });
});
