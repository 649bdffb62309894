import { expect, test } from 'vitest';
import { Browser, OidcScene } from './oidc-scene.ts';

const LOGOUT = '/.headgate/oidc/logout';
const OWN_FORM = { method: 'POST', headers: ['Sec-Fetch-Site', 'same-origin'] };

async function loggedIn(scene: OidcScene): Promise<Browser> {
  const browser = new Browser(scene);
  await browser.logIn();
  return browser;
}

test('a logout takes every cookie of ours and ends at the provider’s logout, with the ID token', async () => {
  const scene = new OidcScene({ afterLogout: '/bye' });
  const browser = await loggedIn(scene);
  browser.cookies.set('__Host-sid.login.abcdefgh', 'under way');
  browser.cookies.set('__Host-sid.2', 'stale');
  browser.cookies.set('theme', 'dark');
  const { says, location } = await browser.visit(LOGOUT, OWN_FORM);
  const { pathname, searchParams } = new URL(location);
  expect([says, pathname]).toEqual(['303 logout', '/logout']);
  expect(Object.fromEntries(searchParams)).toEqual({
    client_id: 'gateway',
    id_token_hint: 'id-1',
    post_logout_redirect_uri: 'https://shop.test/bye',
  });
  expect([...browser.cookies.keys()]).toEqual(['theme']);
  expect((await browser.visit('/')).says).toBe('302 login-redirect');
});

for (const [what, visit, says] of [
  ['a link of this origin', { headers: ['Sec-Fetch-Site', 'same-origin'] }, '303 logout'],
  [
    'a form of a browser that says no more than Origin',
    { method: 'POST', headers: ['Origin', 'https://shop.test'] },
    '303 logout',
  ],
  ['a link of another site', { headers: ['Sec-Fetch-Site', 'cross-site'] }, '200 logout-page'],
  ['an image of another site, in a browser that does not say so', { headers: [] }, '200 logout-page'],
  ['the address bar', { headers: ['Sec-Fetch-Site', 'none'] }, '200 logout-page'],
  ['a prefetch', { headers: ['Sec-Fetch-Site', 'same-origin', 'Sec-Purpose', 'prefetch'] }, '200 logout-page'],
  ['a form of another site', { method: 'POST', headers: ['Sec-Fetch-Site', 'cross-site'] }, '403 logout-cross-site'],
  ['a form of a sibling host', { method: 'POST', headers: ['Sec-Fetch-Site', 'same-site'] }, '403 logout-cross-site'],
  ['a form of who knows', { method: 'POST', headers: ['Origin', 'null'] }, '403 logout-cross-site'],
  ['a DELETE', { method: 'DELETE', headers: ['Sec-Fetch-Site', 'same-origin'] }, '405 method-not-allowed'],
] as const) {
  test(`a logout by ${what} comes to ${says}`, async () => {
    const browser = await loggedIn(new OidcScene());
    const visited = await browser.visit(LOGOUT, visit);
    expect(visited.says).toBe(says);
    expect((await browser.visit('/')).says).toBe(says === '303 logout' ? '302 login-redirect' : 'u1');
  });
}

test('a provider without a logout leaves people at the page for it, or at one of ours', async () => {
  const scene = new OidcScene({ afterLogout: '/bye' });
  scene.provider.hasLogout = false;
  expect((await (await loggedIn(scene)).visit(LOGOUT, OWN_FORM)).location).toBe('/bye');
  const plain = new OidcScene();
  plain.provider.hasLogout = false;
  expect((await (await loggedIn(plain)).visit(LOGOUT, OWN_FORM)).says).toBe('200 logout');
});

test('a provider that is down keeps nobody logged in here', async () => {
  const scene = new OidcScene();
  const browser = await loggedIn(scene);
  scene.provider.known = false;
  scene.provider.isDown = true;
  expect((await browser.visit(LOGOUT, OWN_FORM)).says).toBe('200 logout');
  expect(browser.cookies.size).toBe(0);
});

test('a logout that is only asked about ends nothing, and asks the provider for nothing', async () => {
  const scene = new OidcScene();
  const browser = await loggedIn(scene);
  // To look at them may be to ask for them again.
  Object.defineProperty(scene.provider, 'pages', { get: () => expect.unreachable() });
  const { says, setCookies, location } = await browser.visit(LOGOUT, { ...OWN_FORM, hypothetical: true });
  expect(location).toBe('https://login.test');
  expect([says, setCookies]).toEqual(['303 logout', []]);
});

test('the page that asks may not be shown within another', async () => {
  const { result } = await (await loggedIn(new OidcScene())).visit(LOGOUT);
  expect(result.kind === 'reply' && result.reply.headers.join()).toContain("frame-ancestors 'none'");
});
