import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { passwordMatches } from '../../src/control/policies/password-matches.ts';

const cwd = join(import.meta.dirname, '../..');

function hashed(algorithm: string, password: string): string {
  const args = ['src/main.ts', 'hash-password', '--algorithm', algorithm];
  return execFileSync(process.execPath, args, { cwd, input: `${password}\n`, encoding: 'utf8' }).trim();
}

test.each([
  ['argon2id', '$argon2id$v=19$m=19456,t=2,p=1$'],
  ['scrypt', '$scrypt$ln=15,r=8,p=3$'],
  ['bcrypt', '$2b$10$'],
])('headgate hash-password makes a hash with %s at its full cost', (algorithm, start) => {
  const hash = hashed(algorithm, 'pässword: 1');
  expect(hash.startsWith(start)).toBe(true);
  expect([passwordMatches(hash, 'pässword: 1'), passwordMatches(hash, 'pässword: 2')]).toEqual([true, false]);
});

const PYTHON = `
import base64, hashlib, sys
_, _, settings, salt, digest = sys.argv[1].split('$')
ln, r, p = (int(part.split('=')[1]) for part in settings.split(','))
pad = lambda text: base64.b64decode(text + '=' * (-len(text) % 4))
made = hashlib.scrypt(sys.argv[2].encode(), salt=pad(salt), n=2**ln, r=r, p=p, maxmem=2**27, dklen=len(pad(digest)))
print(made == pad(digest))
`;

test.runIf(spawnSync('python3', ['-c', 'import hashlib; hashlib.scrypt']).status === 0)(
  'another implementation of scrypt agrees',
  () => {
    const told = execFileSync('python3', ['-c', PYTHON, hashed('scrypt', 'secret'), 'secret'], { encoding: 'utf8' });
    expect(told).toBe('True\n');
  },
);
