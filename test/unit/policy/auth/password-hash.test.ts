import { describe, expect, test } from 'vitest';
import { passwordMatches } from '../../../../src/control/policies/password-matches.ts';
import { decoyOf, parsePasswordHash } from '../../../../src/policy/auth/password-hash.ts';

function base64(octets: Buffer): string {
  return octets.toString('base64').replace(/=+$/, '');
}

/** RFC 7914 §12, the third vector. */
const RFC_7914 = `$scrypt$ln=14,r=8,p=1$${base64(Buffer.from('SodiumChloride'))}$${base64(
  Buffer.from(
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
    'hex',
  ),
)}`;

/** Of the reference implementations' own tests (crypt_blowfish, phc-winner-argon2), and of RFC 7914. */
const VECTORS = [
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK', 'U*U*'],
  ['$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a', 'U*U*U'],
  ['$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4', 'password'],
  ['$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc', 'password'],
  ['$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8', 'password'],
  [RFC_7914, 'pleaseletmein'],
] as const;

describe('hashes of other programs', () => {
  test.each(VECTORS)('%s is of its password and of no other', (hash, password) => {
    expect([passwordMatches(hash, password), passwordMatches(hash, `${password}x`)]).toEqual([true, false]);
  });

  test.each(VECTORS)('the decoy of %s costs the same, and no password has it', (hash, password) => {
    const decoy = decoyOf(hash, Buffer.alloc(32, 7));
    expect(decoyOf(hash, Buffer.alloc(32, 7))).toBe(decoy);
    const strip = (text: string): unknown => {
      const parsed = parsePasswordHash(text);
      return parsed.ok ? { ...parsed.hash, digest: null, text: null } : parsed.message;
    };
    expect([decoy === hash, strip(decoy)]).toEqual([false, strip(hash)]);
    expect(passwordMatches(decoy, password)).toBe(false);
  });
});

describe('what can’t be used', () => {
  test.each([
    [
      '{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=',
      /^unsalted SHA-1 \(\{SHA\}\) is not supported: use argon2id, scrypt or bcrypt/,
    ],
    ['{SSHA}aaaa', /salted SHA-1/],
    ['$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', /MD5 of Apache/],
    ['$1$salt$qJH7.N4xYta3aEG/dfqo/0', /MD5-crypt/],
    ['$5$saltstring$5B8vYYiY', /SHA-256-crypt/],
    ['$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO', /SHA-512-crypt/],
    ['$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC', /yescrypt/],
    ['$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', /faulty bcrypt/],
    ['rl.3StKT.4T8M', /no hash of a known kind, or a password in clear/],
    ['secret', /no hash of a known kind, or a password in clear/],
    ['', /no hash of a known kind/],
    ['$2y$05$tooshort', /no whole bcrypt hash/],
    ['$2y$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', /cost 31 is not supported: 4 to 16/],
    ['$2y$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', /cost 3 is not supported/],
    ['$argon2d$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQM', /argon2d, which is not for passwords/],
    ['$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /another version than 1\.3/],
    ['$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /another version than 1\.3/],
    ['$argon2id$v=19$m=2097152,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /more than 1 GiB/],
    ['$argon2id$v=19$m=256,t=65,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /64 passes/],
    ['$argon2id$v=19$m=8,t=1,p=2$c29tZXNhbHQ$nf65EOgLrQMR', /broken argon2/],
    ['$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /broken argon2/],
    ['$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /broken argon2/],
    ['$argon2id$v=19$m=256,t=2,p=1,keyid=x$c29tZXNhbHQ$nf65EOgLrQMR', /broken argon2/],
    ['$argon2id$v=19$m=256,t=2,p=1$c29t$nf65EOgLrQMR', /broken argon2/],
    ['$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$not base64!', /broken argon2/],
    ['$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR$more', /broken argon2/],
    ['$scrypt$ln=25,r=8,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /scrypt with more than 1 GiB/],
    ['$scrypt$ln=20,r=16,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /scrypt with more than 1 GiB/],
    ['$scrypt$ln=10,r=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR', /broken scrypt/],
    ['$scrypt$ln=10,r=8$c29tZXNhbHQ$nf65EOgLrQMR', /broken scrypt/],
  ])('%s', (hash, message) => {
    const parsed = parsePasswordHash(hash);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(message) });
    if (hash !== '' && !parsed.ok) expect(parsed.message).not.toContain(hash);
  });
});
