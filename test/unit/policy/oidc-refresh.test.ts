import { describe, expect, test } from 'vitest';
import { Refreshes } from '../../../src/policy/auth/oidc/refreshes.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { Browser, OidcScene } from './oidc-scene.ts';

const MINUTE = 60_000;

async function loggedIn(scene: OidcScene): Promise<Browser> {
  const browser = new Browser(scene);
  await browser.logIn();
  return browser;
}

describe('a refresh', () => {
  test('is made by the request that comes within 30 s of the end of the token', async () => {
    const scene = new OidcScene({ forwardToken: 'access' });
    const browser = await loggedIn(scene);
    scene.clock.advance(270_000 - 1);
    await browser.visit('/');
    expect(scene.provider.refreshed).toEqual([]);
    scene.clock.advance(1);
    scene.provider.tokens = { ...scene.provider.tokens, accessToken: 'access-2', refreshToken: 'refresh-2' };
    const { result, setCookies, waited } = await browser.visit('/');
    expect([waited, scene.provider.refreshed, setCookies.length]).toEqual([true, ['refresh-1'], 1]);
    expect(result.kind === 'known' && result.identity.fields[1]).toBe('Bearer access-2');
    scene.clock.advance(270_000);
    await browser.visit('/');
    expect(scene.provider.refreshed).toEqual(['refresh-1', 'refresh-2']);
  });

  test('is one for all requests with the same cookie, also for those that come a little later', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE);
    const others = [browser.before(scene), browser.before(scene), browser.before(scene)];
    const all = await Promise.all(others.map((other) => other.visit('/')));
    expect(all.map(({ says, setCookies }) => [says, setCookies.length])).toEqual(Array(3).fill(['u1', 1]));
    scene.clock.advance(MINUTE - 1);
    expect((await browser.visit('/')).says).toBe('u1');
    expect(scene.provider.refreshed).toEqual(['refresh-1']);
  });

  test('says anew what the user is', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE);
    scene.provider.tokens = { ...scene.provider.tokens, claims: { sub: 'u1', groups: [] } };
    const { result } = await browser.visit('/');
    expect(result.kind === 'known' && result.identity.claims).toEqual({ sub: 'u1', groups: [] });
  });

  test('without an ID token and a new refresh token leaves what there was', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE);
    scene.provider.tokens = { ...scene.provider.tokens, claims: null, idToken: null, refreshToken: null };
    const { result } = await browser.visit('/');
    expect(result.kind === 'known' && result.identity.claims['email']).toBe('ann@shop.test');
    scene.clock.advance(5 * MINUTE);
    await browser.visit('/');
    expect(scene.provider.refreshed).toEqual(['refresh-1', 'refresh-1']);
  });

  test('that is refused means another login', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE);
    scene.provider.refreshAnswer = { ok: false, why: 'refused' };
    expect((await browser.visit('/', { headers: ['Accept', '*/*'] })).says).toBe('401 login-required');
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
    expect(scene.provider.refreshed).toHaveLength(1);
  });

  test('that is refused while the token is good may have been made by another process', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.provider.refreshAnswer = { ok: false, why: 'refused' };
    scene.clock.advance(5 * MINUTE - 1);
    const { says, setCookies } = await browser.visit('/');
    expect([says, setCookies]).toEqual(['u1', []]);
    scene.clock.advance(1);
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
  });

  test('of a provider that is down leaves the session as it is until its own end, and is tried again after 15 s', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE);
    scene.provider.refreshAnswer = { ok: false, why: 'unavailable' };
    expect((await browser.visit('/')).says).toBe('u1');
    expect((await browser.visit('/')).says).toBe('u1');
    expect(scene.provider.refreshed).toHaveLength(1);
    scene.clock.advance(15_000);
    expect((await browser.visit('/')).says).toBe('u1');
    expect(scene.provider.refreshed).toHaveLength(2);
    scene.clock.advance(60 * MINUTE);
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
  });

  test('that can’t be made ends what forwards a token that has ended', async () => {
    const scene = new OidcScene({ forwardToken: 'access' });
    scene.provider.tokens = { ...scene.provider.tokens, refreshToken: null };
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE - 1);
    expect((await browser.visit('/')).says).toBe('u1');
    scene.clock.advance(1);
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
  });

  test('is not made for who only asks what would be done', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(20 * MINUTE);
    const { says, setCookies } = await browser.visit('/', { hypothetical: true });
    expect([says, setCookies, scene.provider.refreshed]).toEqual(['u1', [], []]);
  });

  test('comes to nothing for a client that has left', async () => {
    const scene = new OidcScene();
    const browser = await loggedIn(scene);
    scene.clock.advance(5 * MINUTE);
    const result = scene.oidc.authenticate(browser.request('/'));
    if (result.kind !== 'ask') throw new Error('It does not wait');
    let calls = 0;
    result.begin(() => {
      calls += 1;
    });
    result.cancel();
    await browser.visit('/');
    expect(calls).toBe(0);
  });
});

test('of ten thousand refreshes the oldest is forgotten', async () => {
  const refreshes = new Refreshes(new ManualClock());
  for (let i = 0; i < 10_100; i += 1) await refreshes.once(`t${i}`, async () => ({ ok: false, why: 'refused' }));
  expect(refreshes.size).toBe(10_000);
});

test('refreshes that are a minute old are forgotten', async () => {
  const clock = new ManualClock();
  const refreshes = new Refreshes(clock);
  for (let i = 0; i < 100; i += 1) await refreshes.once(`t${i}`, async () => ({ ok: false, why: 'refused' }));
  clock.advance(60_000);
  await refreshes.once('new', async () => ({ ok: false, why: 'refused' }));
  expect(refreshes.size).toBe(1);
});
