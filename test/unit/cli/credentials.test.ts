import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { hashPassword } from '../../../src/cli/hash-password.ts';
import { parseApiKeysFile } from '../../../src/config/api-keys-file.ts';
import { passwordMatches } from '../../../src/control/policies/password-matches.ts';
import { parseHtpasswd } from '../../../src/policy/auth/user-table.ts';
import { headgate } from '../../kit/command-line.ts';

describe('headgate hash-password', () => {
  test('makes a hash that is of the password, another one each time', async () => {
    const run = () => headgate(['hash-password'], { stdin: 'pässword: 1\n' });
    const { code, out, err } = await run();
    expect([code, err, out.startsWith('$argon2id$v=19$m=19456,t=2,p=1$')]).toEqual([0, '', true]);
    expect(passwordMatches(out.trim(), 'pässword: 1')).toBe(true);
    expect((await run()).out).not.toBe(out);
  });

  test('makes a line of an htpasswd file', async () => {
    const { out } = await headgate(['hash-password', '-u', 'ann', '-a', 'argon2id'], { stdin: 'secret\r\n' });
    const hash = parseHtpasswd(Buffer.from(out)).hashOf('ann') ?? '';
    expect(passwordMatches(hash, 'secret')).toBe(true);
  });

  test.each([
    ['', [], 'there is no password on standard input'],
    ['\n', [], 'there is no password on standard input'],
    ['two\nlines\n', [], 'a password is one line without control characters'],
    ['a\tb', [], 'a password is one line without control characters'],
    ['x'.repeat(1025), [], 'a password has 1024 octets at most'],
    ['ä'.repeat(37), ['-a', 'bcrypt'], 'bcrypt looks at 72 octets of a password alone'],
  ])('refuses %j', async (stdin, more, message) => {
    const { code, out, err } = await headgate(['hash-password', ...more], { stdin });
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(message);
  });

  test('asks in a terminal, and shows nothing of what is typed', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    const [out, err]: [string[], string[]] = [[], []];
    const [stdout, stderr] = [out, err].map((told) => ({ write: (text: string) => told.push(text) }));
    stdin.write('secret\r');
    if (stdout === undefined || stderr === undefined) throw new Error('There are two');
    await hashPassword({ algorithm: 'argon2id', user: null }, { stdin, stdout, stderr, environment: {} });
    expect(err.join('')).toBe('Password: \n');
    expect(passwordMatches(out.join('').trim(), 'secret')).toBe(true);
  });
});

describe('headgate new-api-key', () => {
  test('shows the key once, and writes what is kept of it', async () => {
    const { code, out, err } = await headgate(['new-api-key', 'ci']);
    const digest = createHash('sha256').update(err.trim()).digest('hex');
    expect([code, err]).toEqual([0, expect.stringMatching(/^hg_[A-Za-z0-9_-]{43}\n$/)]);
    expect(parseApiKeysFile('keys.yaml', out)).toMatchObject({ ok: true, keys: [{ name: 'ci', key: digest }] });
  });

  test('a name that YAML would take for something else is in quotes', async () => {
    const { out } = await headgate(['new-api-key', 'true']);
    expect(parseApiKeysFile('keys.yaml', out)).toMatchObject({ ok: true, keys: [{ name: 'true' }] });
  });

  test('has both for programs', async () => {
    const { out, err } = await headgate(['new-api-key', 'ci', '--json']);
    const { name, key, digest } = JSON.parse(out);
    expect([name, err, digest]).toEqual(['ci', '', `sha256:${createHash('sha256').update(key).digest('hex')}`]);
  });
});
