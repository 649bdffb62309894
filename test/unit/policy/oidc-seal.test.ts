import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Seal } from '../../../src/policy/auth/oidc/seal.ts';
import { Browser, OidcScene } from './oidc-scene.ts';

const seal = new Seal(['secret'], 'session');

test('what was sealed opens, whatever it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\0', '"', 'é', '漢', '😀') }), (text) => {
      expect(seal.open(seal.seal(text, 'a'), 'a')).toEqual({ text, isCurrent: true });
    }),
    { seed: 7, numRuns: 50 },
  );
});

test('the same text is sealed otherwise each time', () => {
  expect(seal.seal('x', 'a')).not.toBe(seal.seal('x', 'a'));
});

test('every change of any octet is refused, and so is every cut', () => {
  const sealed = seal.seal('{"user":"u1"}', 'a');
  for (let i = 0; i < sealed.length; i += 1) {
    for (const other of ['A', 'Z', '-', '_', '9', '+', '/', '=', ' ', 'é', '']) {
      const changed = sealed.slice(0, i) + other + sealed.slice(i + 1);
      if (changed !== sealed) expect(seal.open(changed, 'a')).toBeNull();
    }
    expect(seal.open(sealed.slice(0, i), 'a')).toBeNull();
    expect(seal.open(sealed.slice(i + 1), 'a')).toBeNull();
  }
});

test('every change of any octet of the cookie is refused', async () => {
  const scene = new OidcScene();
  const browser = new Browser(scene);
  await browser.logIn();
  const value = browser.cookies.get('__Host-sid') as string;
  const octet = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: value.length - 1 }), octet, async (at, other) => {
      if (value[at] === other) return;
      const forger = browser.before(scene);
      forger.cookies.set('__Host-sid', value.slice(0, at) + other + value.slice(at + 1));
      expect((await forger.visit('/')).says).toBe('302 login-redirect');
    }),
    { seed: 11, numRuns: 300 },
  );
});

test('garbage opens nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.base64String(), (text, base64) => {
      expect([seal.open(text, 'a'), seal.open(base64, 'a')]).toEqual([null, null]);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test('another secret, purpose or label opens nothing', () => {
  const sealed = seal.seal('x', 'a');
  expect(new Seal(['other'], 'session').open(sealed, 'a')).toBeNull();
  expect(new Seal(['secret'], 'login').open(sealed, 'a')).toBeNull();
  expect(seal.open(sealed, 'b')).toBeNull();
});
