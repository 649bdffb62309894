import { expect, test } from 'vitest';
import { type Checked, TokenChecks } from '../../../../src/policy/auth/token-checks.ts';
import type { KeySet, KeySource, Sought, TokenKey } from '../../../../src/policy/auth/token-keys.ts';

/** Keys that take their time, and an issuer that answers when it is told to. */
class Scene {
  readonly checks = new TokenChecks('checks');
  readonly verifying: ((isSound: boolean) => void)[] = [];
  readonly seeking: { readonly kid: string | null; readonly done: (sought: Sought) => void; isOver: boolean }[] = [];
  current: KeySet | null = null;

  key(kid: string | null): TokenKey {
    const verify = () => new Promise<boolean>((resolve) => this.verifying.push(resolve));
    return { kid, algorithms: new Set(['ES256']), verify };
  }

  get source(): KeySource {
    const scene = this;
    return {
      ...{ name: 'issuer', retryAfterSeconds: 1 },
      get current() {
        return scene.current;
      },
      seek: (kid, done) => {
        const seeking = { kid, done, isOver: false };
        scene.seeking.push(seeking);
        return () => {
          seeking.isOver = true;
        };
      },
    };
  }

  check(digest: string, kid: string | null = 'k1'): { said: Checked | null; leave: () => void } {
    const one: { said: Checked | null; leave: () => void } = { said: null, leave: () => {} };
    const token = { text: digest, header: { alg: 'ES256', kid, typ: null }, claims: {} };
    const done = (checked: Checked) => {
      one.said = checked;
    };
    one.leave = this.checks.check(digest, token, { source: this.source, done });
    return one;
  }

  get running(): number | undefined {
    return this.checks.status()['checks'];
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function withKeys(...kids: readonly (string | null)[]): Scene {
  const scene = new Scene();
  scene.current = { keys: kids.map((kid) => scene.key(kid)) };
  return scene;
}

test('the same token of several requests is verified once', async () => {
  const scene = withKeys('k1');
  const [a, b, other] = [scene.check('t'), scene.check('t'), scene.check('u')];
  await settled();
  expect([scene.verifying.length, scene.running]).toEqual([2, 2]);
  scene.verifying[0]?.(true);
  scene.verifying[1]?.(false);
  await settled();
  expect([a.said, b.said]).toEqual([
    { kind: 'signed', keys: scene.current },
    { kind: 'signed', keys: scene.current },
  ]);
  expect([other.said, scene.running]).toEqual([{ kind: 'refused', why: 'token-signature' }, 0]);
});

test('a key of the token’s name that did not sign it is an answer; keys without names are not', async () => {
  const named = withKeys('k1', null);
  const first = named.check('t');
  await settled();
  named.verifying[0]?.(false);
  await settled();
  expect([first.said, named.seeking.length]).toEqual([{ kind: 'refused', why: 'token-signature' }, 0]);
  const nameless = withKeys(null);
  const second = nameless.check('t');
  await settled();
  nameless.verifying[0]?.(false);
  await settled();
  expect(nameless.seeking.map(({ kid }) => kid)).toEqual(['k1']);
  nameless.current = { keys: [nameless.key('k1')] };
  nameless.seeking[0]?.done('found');
  await settled();
  nameless.verifying[1]?.(true);
  await settled();
  expect(second.said).toEqual({ kind: 'signed', keys: nameless.current });
});

test.each<[string, Sought, Checked]>([
  ['knows no such key', 'missing', { kind: 'refused', why: 'token-key-unknown' }],
  ['can’t be asked', 'unavailable', { kind: 'unavailable', why: 'jwks-unavailable' }],
])('an unknown key is asked for once, and the issuer %s', async (_, sought, expected) => {
  const scene = withKeys('k1');
  const one = scene.check('t', 'k2');
  await settled();
  scene.seeking[0]?.done(sought);
  await settled();
  expect([one.said, scene.seeking.length, scene.running]).toEqual([expected, 1, 0]);
});

test('without keys they are waited for, and a key among them that is not there is asked for once more', async () => {
  const scene = new Scene();
  const one = scene.check('t', 'k2');
  await settled();
  scene.current = { keys: [scene.key('k1')] };
  scene.seeking[0]?.done('found');
  await settled();
  expect(scene.seeking.map(({ kid }) => kid)).toEqual([null, 'k2']);
  scene.seeking[1]?.done('missing');
  expect(one.said).toEqual({ kind: 'refused', why: 'token-key-unknown' });
});

test('whoever leaves is told nothing, and the last one ends it', async () => {
  const scene = new Scene();
  const [a, b] = [scene.check('t'), scene.check('t')];
  await settled();
  a.leave();
  expect([scene.running, scene.seeking[0]?.isOver]).toEqual([1, false]);
  b.leave();
  expect([scene.running, scene.seeking[0]?.isOver]).toEqual([0, true]);
  scene.seeking[0]?.done('found');
  await settled();
  expect([a.said, b.said]).toEqual([null, null]);
});

test('two thousand are looked at at a time, and one more is told to come again', async () => {
  const scene = withKeys('k1');
  for (let i = 0; i < 2_000; i += 1) scene.check(`t${i}`);
  expect(scene.check('more').said).toEqual({ kind: 'unavailable', why: 'token-checks-full' });
  await settled();
  for (const verified of scene.verifying) verified(false);
  await settled();
  expect(scene.running).toBe(0);
});
