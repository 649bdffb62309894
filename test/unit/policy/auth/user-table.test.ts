import { describe, expect, test } from 'vitest';
import { parsePasswordHash } from '../../../../src/policy/auth/password-hash.ts';
import { parseHtpasswd, userTable } from '../../../../src/policy/auth/user-table.ts';

const ARGON2 = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
const BCRYPT = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';

function parse(text: string) {
  return parseHtpasswd(Buffer.from(text));
}

describe('an htpasswd file', () => {
  test('has a user a line, remarks, empty lines and any line ends', () => {
    const table = parse(`# staff\r\nann:${ARGON2}\r\n\n bob:${BCRYPT}:a remark: with colons\nzoë:${BCRYPT}`);
    expect([table.size, table.hashOf('ann'), table.hashOf('bob')]).toEqual([3, ARGON2, BCRYPT]);
    expect([table.hashOf('zo\xc3\xab'), table.hashOf('zoë'), table.hashOf('eve'), table.hashOf('')]).toEqual([
      BCRYPT,
      null,
      null,
      null,
    ]);
  });

  test.each([
    [`ann:${ARGON2}\nbob:secret`, /^line 2: user “bob”: this is no hash of a known kind/],
    [`ann:${ARGON2}\n\nann:${BCRYPT}`, /^line 3: user “ann” stands in it twice/],
    ['ann', /^line 1: a line is user:hash/],
    [`:${ARGON2}`, /^line 1: a user has a name/],
    [`a\x01b:${ARGON2}`, /^line 1: a user has a name/],
    ['ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=', /^line 1: user “ann”: unsalted SHA-1/],
    ['ann:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/', /^line 1: user “ann”: MD5 of Apache/],
  ])('%j is refused with the line', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  test('is UTF-8', () => {
    expect(() => parseHtpasswd(Buffer.from(`zo\xeb:${BCRYPT}`, 'latin1'))).toThrow('it is no UTF-8');
  });

  test('may have no users, whom no decoy stands for', () => {
    expect([parse('').size, parse('# nobody').decoyOf('ann')]).toEqual([0, null]);
  });
});

describe('who is not in it', () => {
  const table = parse(`ann:${ARGON2}\nbob:${BCRYPT}`);

  test('has a decoy, always the same, like the hash of somebody who is', () => {
    const names = Array.from({ length: 64 }, (_, index) => `user${index}`);
    const decoys = names.map((name) => table.decoyOf(name) ?? '');
    expect(names.map((name) => table.decoyOf(name))).toEqual(decoys);
    expect(decoys.every((decoy) => parsePasswordHash(decoy).ok)).toBe(true);
    const starts = new Set(decoys.map((decoy) => decoy.slice(0, 7)));
    expect([...starts].sort()).toEqual(['$2y$05$', '$argon2']);
  });

  test('has one of his own: what was found out for the decoy of one would be remembered for all, and tell them from who is', () => {
    for (const text of [`ann:${ARGON2}`, `bob:${BCRYPT}`]) {
      const decoys = Array.from({ length: 64 }, (_, index) => parse(text).decoyOf(`user${index}`));
      expect(new Set(decoys).size).toBe(64);
    }
  });
});

test('hashes of the configuration are complained of by user', () => {
  const complaints: string[] = [];
  const table = userTable({ ann: ARGON2, bob: 'x', 'a:b': BCRYPT }, (user, message) =>
    complaints.push(`${user}: ${message}`),
  );
  expect(table.hashOf('ann')).toBe(ARGON2);
  expect(complaints).toEqual([
    expect.stringMatching(/^bob: user “bob”: this is no hash/),
    expect.stringMatching(/^a:b: a user has a name, without colons/),
  ]);
});
