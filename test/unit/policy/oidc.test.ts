import { describe, expect, test } from 'vitest';
import { Browser, HOUR, NAVIGATION, OidcScene } from './oidc-scene.ts';

const MINUTE = 60_000;

describe('a login', () => {
  test('begins with a redirect that has state, nonce and a PKCE challenge, and comes back to where it began', async () => {
    const scene = new OidcScene();
    const browser = new Browser(scene);
    const away = await browser.visit('/carts/7?tab=1');
    const { origin, searchParams } = new URL(away.location);
    expect([away.says, origin]).toEqual(['302 login-redirect', 'https://login.test']);
    expect(searchParams.get('redirect_uri')).toBe('https://shop.test/.headgate/oidc/callback');
    expect([searchParams.get('response_type'), searchParams.get('code_challenge_method')]).toEqual(['code', 'S256']);
    for (const name of ['state', 'nonce', 'code_challenge']) expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/);
    expect(away.setCookies[0]).toMatch(
      /^__Host-sid\.login\.[\w-]{8}=\S+; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
    );
    const back = await browser.visit(`/.headgate/oidc/callback?code=c1&state=${searchParams.get('state')}`);
    expect([back.says, back.location]).toEqual(['303 login', '/carts/7?tab=1']);
    expect([...browser.cookies.keys()]).toEqual(['__Host-sid']);
    expect((await browser.visit('/carts/7')).says).toBe('u1');
  });

  test('tells the cookie nothing in clear, and keeps the configured claims alone', async () => {
    const browser = new Browser(new OidcScene());
    const { setCookies } = await browser.logIn();
    const sealed = /=1\.([^;]+)/.exec(setCookies.join())?.[1] ?? '';
    for (const text of [setCookies.join(), Buffer.from(sealed, 'base64url').toString('latin1')]) {
      expect(text).not.toMatch(/shop\.test|refresh|access|staff/);
    }
    const { result } = await browser.visit('/');
    expect(result.kind === 'known' && result.identity.claims).toEqual({
      sub: 'u1',
      email: 'ann@shop.test',
      groups: ['staff', 'admin'],
    });
  });

  test('is for the browser that began it', async () => {
    const scene = new OidcScene();
    const callback = await new Browser(scene).begin('/');
    const victim = new Browser(scene);
    await victim.begin('/');
    expect((await victim.visit(callback)).says).toBe('400 login-state-invalid');
    expect(scene.provider.redeemed).toEqual([]);
  });

  for (const [what, target] of [
    ['no state', '/.headgate/oidc/callback?code=c1'],
    ['no query', '/.headgate/oidc/callback'],
    ['a state that is none of ours', '/.headgate/oidc/callback?code=c1&state=abc'],
    ['two states', 'twice'],
    ['a state of which only the name of the cookie is right', 'other'],
  ] as const) {
    test(`does not end with ${what}`, async () => {
      const scene = new OidcScene();
      const browser = new Browser(scene);
      const callback = await browser.begin('/');
      const state = callback.slice(-43);
      const other = `${callback.slice(0, -1)}${callback.endsWith('A') ? 'B' : 'A'}`;
      const where = target === 'twice' ? `${callback}&state=${state}` : target === 'other' ? other : target;
      expect((await browser.visit(where)).says).toBe('400 login-state-invalid');
      expect(scene.provider.redeemed).toEqual([]);
    });
  }

  test('ends once: the callback is refused when it comes again', async () => {
    const scene = new OidcScene();
    const browser = new Browser(scene);
    const callback = await browser.begin('/');
    expect((await browser.visit(callback)).says).toBe('303 login');
    expect((await browser.visit(callback)).says).toBe('400 login-state-invalid');
    expect(scene.provider.redeemed).toHaveLength(1);
  });

  test('has ten minutes', async () => {
    const scene = new OidcScene();
    const browser = new Browser(scene);
    const [first, second] = [await browser.begin('/a'), await browser.begin('/b')];
    scene.clock.advance(10 * MINUTE - 1);
    expect((await browser.visit(first)).says).toBe('303 login');
    scene.clock.advance(1);
    expect((await browser.visit(second)).says).toBe('400 login-state-invalid');
  });

  for (const [why, says] of [
    ['refused', '403 login-refused'],
    ['denied', '403 login-denied'],
    ['unavailable', '503 oidc-unavailable'],
  ] as const) {
    test(`that the provider answers with “${why}” is ${says}, and over`, async () => {
      const scene = new OidcScene();
      scene.provider.redeemAnswer = { ok: false, why };
      const browser = new Browser(scene);
      expect((await browser.logIn()).says).toBe(says);
      expect([...browser.cookies.keys()]).toEqual([]);
    });
  }

  test('without the claim that is the user’s name is refused', async () => {
    const browser = new Browser(new OidcScene({ userClaim: 'upn' }));
    expect((await browser.logIn()).says).toBe('403 login-claim-missing');
  });

  test('in two tabs ends in both, each where it began', async () => {
    const browser = new Browser(new OidcScene());
    const [one, two] = [await browser.begin('/one'), await browser.begin('/two')];
    expect((await browser.visit(two)).location).toBe('/two');
    expect((await browser.visit(one)).location).toBe('/one');
    expect((await browser.visit('/')).says).toBe('u1');
  });

  test('in twenty tabs leaves five cookies, of the newest', async () => {
    const browser = new Browser(new OidcScene());
    const callbacks: string[] = [];
    for (let i = 0; i < 20; i += 1) callbacks.push(await browser.begin(`/${i}`));
    expect(browser.cookies.size).toBe(5);
    expect((await browser.visit(callbacks[14] as string)).says).toBe('400 login-state-invalid');
    expect((await browser.visit(callbacks[15] as string)).location).toBe('/15');
  });

  test('with long addresses in many tabs leaves room for everything else in a request', async () => {
    const browser = new Browser(new OidcScene());
    for (let i = 0; i < 8; i += 1) await browser.begin(`/${i}?${'x'.repeat(2_000)}`);
    const octets = [...browser.cookies].map(([name, value]) => name.length + value.length);
    expect([octets.length, octets.reduce((sum, one) => sum + one, 0) < 8_200]).toEqual([2, true]);
  });

  test('takes a session away that is good for nothing', async () => {
    const browser = new Browser(new OidcScene());
    for (const name of ['__Host-sid', '__Host-sid.1', '__Host-sid.7']) browser.cookies.set(name, 'garbage');
    await browser.begin('/');
    expect([...browser.cookies.keys()].map((name) => name.replace(/[^.]+$/, ''))).toEqual(['__Host-sid.login.']);
  });

  test('is asked for again by each request while the provider is down, and found when it is back', async () => {
    const scene = new OidcScene();
    scene.provider.known = false;
    scene.provider.isDown = true;
    const browser = new Browser(scene);
    expect((await browser.visit('/')).says).toBe('503 oidc-unavailable');
    scene.provider.isDown = false;
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
  });

  test('over plain HTTP has cookies that browsers take there', async () => {
    const browser = new Browser(new OidcScene());
    const { setCookies } = await browser.visit('/', { scheme: 'http' });
    expect(setCookies[0]).toMatch(/^sid\.login\.[\w-]{8}=\S+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/);
  });

  test('is known by the origin that is configured', async () => {
    const browser = new Browser(new OidcScene({ origin: 'https://www.shop.example' }));
    const { location, setCookies } = await browser.visit('/', { scheme: 'http' });
    expect(new URL(location).searchParams.get('redirect_uri')).toBe('https://www.shop.example/.headgate/oidc/callback');
    expect(setCookies[0]).toMatch(/^__Host-sid\.login/);
  });

  test('that is only asked about begins nothing', async () => {
    const scene = new OidcScene();
    scene.provider.known = false;
    const { says, location, setCookies, waited } = await new Browser(scene).visit('/', { hypothetical: true });
    expect([says, location, setCookies, waited]).toEqual(['302 login-redirect', 'https://login.test', [], false]);
    expect(scene.provider.discoveries).toBe(0);
  });
});

describe('who is not a person before a browser', () => {
  for (const [what, visit] of [
    ['a POST', { method: 'POST', headers: NAVIGATION }],
    ['a fetch', { headers: ['Accept', '*/*', 'Sec-Fetch-Mode', 'cors'] }],
    ['a fetch that accepts HTML', { headers: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'same-origin'] }],
    ['curl', { headers: ['Accept', '*/*'] }],
    ['a client of JSON', { headers: ['Accept', 'application/json'] }],
    ['a WebSocket', { headers: [...NAVIGATION, 'Connection', 'Upgrade', 'Upgrade', 'websocket'] }],
    ['a prefetch', { headers: [...NAVIGATION, 'Sec-Purpose', 'prefetch;prerender'] }],
  ] as const) {
    test(`gets 401: ${what}`, async () => {
      const { says, setCookies, result } = await new Browser(new OidcScene()).visit('/', visit);
      expect([says, setCookies]).toEqual(['401 login-required', []]);
      expect(result.kind === 'refused' && result.error.fields).toContain('WWW-Authenticate');
    });
  }
});

describe('after the login the browser goes', () => {
  for (const [wanted, goes] of [
    ['/a?b=c', '/a?b=c'],
    ['//evil.test', '/'],
    ['//evil.test?x=1', '/'],
    ['/\\evil.test', '/'],
    ['/a\\b', '/a\\b'],
    ['/a\r\nSet-Cookie: x=1', '/'],
    ['/a?b=\r\nSet-Cookie: x=1', '/a'],
    ['/a?b=c d', '/a'],
    [`/a?${'x'.repeat(3_000)}`, '/a'],
    [`/${'x'.repeat(3_000)}`, '/'],
  ] as const) {
    test(`to ${goes} when it was at ${JSON.stringify(wanted).slice(0, 40)}`, async () => {
      const browser = new Browser(new OidcScene());
      expect((await browser.visit(await browser.begin(wanted))).location).toBe(goes);
    });
  }
});

describe('a session', () => {
  test('ends when it is idle for too long', async () => {
    const scene = new OidcScene();
    scene.provider.tokens = { ...scene.provider.tokens, expiresInMs: null };
    const browser = new Browser(scene);
    await browser.logIn();
    scene.clock.advance(HOUR - 1);
    expect((await browser.visit('/')).says).toBe('u1');
    scene.clock.advance(HOUR - 1);
    expect((await browser.visit('/')).says).toBe('u1');
    scene.clock.advance(HOUR);
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
  });

  test('ends after its absolute time, whatever is done', async () => {
    const scene = new OidcScene();
    scene.provider.tokens = { ...scene.provider.tokens, expiresInMs: null };
    const browser = new Browser(scene);
    await browser.logIn();
    for (let i = 0; i < 16; i += 1) {
      expect((await browser.visit('/')).says).toBe('u1');
      scene.clock.advance(HOUR / 2);
    }
    expect((await browser.visit('/')).says).toBe('302 login-redirect');
  });

  test('is sealed again now and then, not with each request', async () => {
    const scene = new OidcScene();
    scene.provider.tokens = { ...scene.provider.tokens, expiresInMs: null };
    const browser = new Browser(scene);
    await browser.logIn();
    scene.clock.advance(6 * MINUTE);
    expect((await browser.visit('/')).setCookies).toEqual([]);
    scene.clock.advance(1);
    expect((await browser.visit('/')).setCookies[0]).toMatch(/^__Host-sid=1\.\S+; Path=\/; Max-Age=3600; Secure;/);
  });

  test('passes the access token on where that is wanted, in place of what the client sent', async () => {
    const browser = new Browser(new OidcScene({ forwardToken: 'access' }));
    await browser.logIn();
    const { result } = await browser.visit('/');
    expect(result.kind === 'known' && [result.identity.fields, result.identity.removes]).toEqual([
      ['Authorization', 'Bearer access-1'],
      ['authorization'],
    ]);
  });

  test('of 6 KB takes two cookies, and the second goes when it gets smaller', async () => {
    const scene = new OidcScene();
    const { tokens } = scene.provider;
    scene.provider.tokens = { ...tokens, claims: { ...tokens.claims, groups: ['x'.repeat(4_000)] } };
    const browser = new Browser(scene);
    await browser.logIn();
    expect([...browser.cookies.keys()]).toEqual(['__Host-sid', '__Host-sid.1']);
    for (const [name, value] of browser.cookies) expect(name.length + value.length).toBeLessThan(4_096);
    expect((await browser.visit('/')).says).toBe('u1');
    const cut = browser.before(scene);
    cut.cookies.delete('__Host-sid.1');
    expect((await cut.visit('/')).says).toBe('302 login-redirect');
    scene.provider.tokens = tokens;
    scene.clock.advance(5 * MINUTE);
    expect((await browser.visit('/')).says).toBe('u1');
    expect([...browser.cookies.keys()]).toEqual(['__Host-sid']);
  });

  test('leaves out what only the logout wants before it is too large, and then it is refused', async () => {
    const scene = new OidcScene();
    const { tokens } = scene.provider;
    scene.provider.tokens = { ...tokens, idToken: 'x'.repeat(9_000) };
    const browser = new Browser(scene);
    expect((await browser.logIn()).says).toBe('303 login');
    scene.provider.tokens = { ...tokens, refreshToken: 'x'.repeat(9_000) };
    expect((await new Browser(scene).logIn()).says).toBe('500 oidc-session-too-large');
  });

  test('sealed with an older secret opens, and is sealed with the new one', async () => {
    const scene = new OidcScene({ secrets: ['old'] });
    const browser = new Browser(scene);
    await browser.logIn();
    const rotated = browser.before(new OidcScene({ secrets: ['new', 'old'] }, scene));
    const { says, setCookies } = await rotated.visit('/');
    expect([says, setCookies.length]).toEqual(['u1', 1]);
    const newer = new OidcScene({ secrets: ['new'] }, scene);
    expect((await rotated.before(newer).visit('/')).says).toBe('u1');
    expect((await browser.before(newer).visit('/')).says).toBe('302 login-redirect');
  });

  test('of another configuration opens nothing', async () => {
    const scene = new OidcScene();
    const browser = new Browser(scene);
    await browser.logIn();
    const other = browser.before(new OidcScene({ label: 'other' }, scene));
    expect((await other.visit('/')).says).toBe('302 login-redirect');
  });

  test('is presented by its cookie, and by the two paths', () => {
    const scene = new OidcScene();
    const browser = new Browser(scene);
    const presents = (target: string): boolean => scene.oidc.presents(browser.request(target));
    expect([presents('/'), presents('/.headgate/oidc/callback'), presents('/.headgate/oidc/logout')]).toEqual([
      false,
      true,
      true,
    ]);
    browser.cookies.set('__Host-sid', 'garbage');
    expect(presents('/')).toBe(true);
  });
});
