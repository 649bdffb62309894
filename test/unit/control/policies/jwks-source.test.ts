import { expect, test } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../../../../src/control/http-client.ts';
import { JwksSource } from '../../../../src/control/policies/jwt/jwks-source.ts';
import type { Sought } from '../../../../src/policy/auth/token-keys.ts';
import type { PolicyEvent } from '../../../../src/policy/policy-state.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { stopAfterTest } from '../../../kit/stop.ts';
import { jwks, type SigningKey, signingKey } from '../../../kit/tokens.ts';

/** An issuer that answers when it is told to. */
class Issuer {
  readonly clock = new ManualClock();
  readonly events: PolicyEvent[] = [];
  readonly asked: { readonly request: HttpRequest; readonly answer: (answer: HttpAnswer | Error) => void }[] = [];
  readonly source: JwksSource;

  constructor() {
    const world = {
      clock: this.clock,
      random: () => 0,
      http: (request: HttpRequest) =>
        new Promise<HttpAnswer>((resolve, reject) => {
          request.signal?.addEventListener('abort', () => reject(new Error('given up')));
          const answer = (said: HttpAnswer | Error) => (said instanceof Error ? reject(said) : resolve(said));
          this.asked.push({ request, answer });
        }),
      observer: (event: PolicyEvent) => void this.events.push(event),
    };
    const settings = { url: 'https://issuer.test/jwks', ca: null, timeoutMs: 5_000, coolDownMs: 5_000 };
    const options = { ...settings, minTtlMs: 300_000, maxTtlMs: 3_600_000, staleIfErrorMs: 600_000 };
    this.source = new JwksSource('jwks test', options, { world, owner: 'route shop' });
    stopAfterTest(() => this.source.close());
  }

  get told(): readonly string[] {
    return this.events.map(({ event }) => event);
  }

  /** Answers the last question, and lets everybody hear of it. */
  async says(content: string | Error | number, fields: readonly string[] = []): Promise<void> {
    const body = Buffer.from(typeof content === 'string' ? content : '');
    const status = typeof content === 'number' ? content : 200;
    this.asked.at(-1)?.answer(content instanceof Error ? content : { status, headers: fields, body });
    await settled();
  }

  /** What becomes of a question for a key; `waiting` until it is known. */
  seek(kid: string | null): { sought: Sought | 'waiting'; leave: () => void } {
    const one: { sought: Sought | 'waiting'; leave: () => void } = { sought: 'waiting', leave: () => {} };
    one.leave = this.source.seek(kid, (sought) => {
      one.sought = sought;
    });
    return one;
  }

  get kids(): readonly (string | null)[] {
    return this.source.current?.keys.map(({ kid }) => kid) ?? [];
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function opened(...keys: readonly SigningKey[]): Promise<Issuer> {
  const issuer = new Issuer();
  issuer.source.open();
  await issuer.says(jwks(...keys));
  return issuer;
}

test('nothing is fetched before it is served, then once for everybody who waits', async () => {
  const issuer = new Issuer();
  expect([issuer.asked.length, issuer.seek('k1').sought]).toEqual([0, 'unavailable']);
  issuer.source.open();
  const waiting = [issuer.seek('k1'), issuer.seek('k2'), issuer.seek(null)];
  expect([issuer.asked.length, issuer.source.current, waiting[0]?.sought]).toEqual([1, null, 'waiting']);
  expect(issuer.asked[0]?.request).toMatchObject({ method: 'GET', body: null, timeoutMs: 5_000, limitBytes: 262_144 });
  await issuer.says(jwks(await signingKey()));
  expect(waiting.map(({ sought }) => sought)).toEqual(['found', 'found', 'found']);
  expect([issuer.kids, issuer.told]).toEqual([['k1'], []]);
});

test.each([
  ['what Cache-Control says', 'public, max-age=1200', 900_000],
  ['not less than the lower bound', 'max-age=1', 225_000],
  ['the lower bound where nothing may be stored', 'no-store, max-age=1200', 225_000],
  ['the lower bound where nothing is said', null, 225_000],
  ['not more than the upper bound', 'max-age=86400', 2_700_000],
])('keys are fetched again before they are stale: %s', async (_, field, atMs) => {
  const issuer = new Issuer();
  issuer.source.open();
  await issuer.says(jwks(await signingKey()), field === null ? [] : ['Cache-Control', field]);
  issuer.clock.advance(atMs - 1);
  expect(issuer.asked).toHaveLength(1);
  issuer.clock.advance(1);
  expect(issuer.asked).toHaveLength(2);
});

test('the same keys again are the same set, other ones another', async () => {
  const [first, second] = [await signingKey(), await signingKey('ES256', 'k2')];
  const issuer = await opened(first);
  const before = issuer.source.current;
  issuer.clock.advance(225_000);
  await issuer.says(jwks(first));
  expect(issuer.source.current).toBe(before);
  issuer.clock.advance(225_000);
  await issuer.says(jwks(first, second));
  expect([issuer.kids, issuer.told]).toEqual([['k1', 'k2'], ['jwks-changed']]);
});

test('a new key is fetched at once when it is asked for, and whoever asked is told', async () => {
  const [first, second] = [await signingKey(), await signingKey('ES256', 'k2')];
  const issuer = await opened(first);
  issuer.clock.advance(5_000);
  const [asking, too, wrong] = [issuer.seek('k2'), issuer.seek('k2'), issuer.seek('k3')];
  expect(issuer.asked).toHaveLength(2);
  await issuer.says(jwks(first, second));
  expect([asking.sought, too.sought, wrong.sought]).toEqual(['found', 'found', 'missing']);
});

test('a flood of names that nobody knows is one fetch in a cool-down, and a new key is not refused for it', async () => {
  const [first, second] = [await signingKey(), await signingKey('ES256', 'k2')];
  const issuer = await opened(first);
  for (let second = 0; second < 20; second += 1) {
    for (let i = 0; i < 40; i += 1) issuer.seek(`made-up-${second}-${i}`);
    if (issuer.asked.length > 1) await issuer.says(jwks(first));
    issuer.clock.advance(1_000);
  }
  expect(issuer.asked.length).toBeLessThanOrEqual(5);
  await issuer.says(jwks(first));
  const honest = issuer.seek('k2');
  expect(honest.sought).toBe('waiting');
  issuer.clock.advance(5_000);
  await issuer.says(jwks(first, second));
  expect(honest.sought).toBe('found');
});

test('the same unknown name is refused without waiting until the cool-down is over', async () => {
  const issuer = await opened(await signingKey());
  issuer.clock.advance(5_000);
  const first = issuer.seek('old');
  await issuer.says(jwks(await signingKey()));
  expect([first.sought, issuer.seek('old').sought]).toEqual(['missing', 'missing']);
  issuer.clock.advance(5_000);
  expect([issuer.seek('old').sought, issuer.asked.length]).toEqual(['waiting', 3]);
});

test('who comes while keys are on their way may hold a newer one: it waits for the next fetch', async () => {
  const [first, second] = [await signingKey(), await signingKey('ES256', 'k2')];
  const issuer = await opened(first);
  issuer.clock.advance(5_000);
  issuer.seek('k9');
  issuer.clock.advance(1_000);
  const newer = issuer.seek('k2');
  await issuer.says(jwks(first));
  expect([newer.sought, issuer.asked.length]).toEqual(['waiting', 2]);
  issuer.clock.advance(4_000);
  await issuer.says(jwks(second));
  expect([newer.sought, issuer.asked.length]).toEqual(['found', 3]);
});

test.each([
  ['is not there', new Error('connection_refused'), /connection_refused/],
  ['answers 500', 500, /it answered 500/],
  ['leads elsewhere', 302, /redirects are not followed/],
  ['sends garbage', '<html>', /it is no JSON/],
  ['sends no key', '{"keys":[]}', /it has no key/],
  ['sends too many keys', JSON.stringify({ keys: Array(101).fill({}) }), /more than 100 keys/],
])('an issuer that %s leaves the last good keys in force, and is told of once', async (_, content, words) => {
  const first = await signingKey();
  const issuer = await opened(first);
  issuer.clock.advance(225_000);
  await issuer.says(content);
  issuer.clock.advance(750);
  await issuer.says(content);
  expect([issuer.kids, issuer.told, issuer.asked.length]).toEqual([['k1'], ['jwks-failed'], 3]);
  expect(issuer.events[0]).toMatchObject({ policy: 'auth', owner: 'route shop', level: 'warn' });
  expect(issuer.source.status()['broken']).toMatch(words);
  issuer.clock.advance(1_500);
  await issuer.says(jwks(first));
  expect([issuer.told, issuer.source.status()['broken']]).toEqual([['jwks-failed', 'jwks-back'], null]);
});

test('keys of an issuer that stays away lapse, and that is told', async () => {
  const issuer = await opened(await signingKey());
  issuer.clock.advance(225_000);
  await issuer.says(500);
  for (let i = 0; i < 30; i += 1) {
    issuer.clock.advance(30_000);
    await issuer.says(500);
  }
  expect([issuer.kids, issuer.told]).toEqual([[], ['jwks-failed', 'jwks-lapsed']]);
  expect(issuer.seek('k1').sought).toBe('unavailable');
});

test('without any keys who asks is told at once, with the time to come again, while the issuer is left alone', async () => {
  const issuer = new Issuer();
  issuer.source.open();
  const first = issuer.seek('k1');
  await issuer.says(500);
  expect([first.sought, issuer.seek('k1').sought, issuer.asked.length]).toEqual(['unavailable', 'unavailable', 1]);
  expect(issuer.source.retryAfterSeconds).toBe(1);
  for (const pauseMs of [750, 1_500, 3_000]) {
    issuer.clock.advance(pauseMs);
    await issuer.says(500);
  }
  expect([issuer.asked.length, issuer.source.retryAfterSeconds]).toEqual([4, 6]);
});

test('who leaves waits no longer, and nobody waits beyond the bound', async () => {
  const issuer = new Issuer();
  issuer.source.open();
  const all = Array.from({ length: 1_000 }, (_, i) => issuer.seek(`k${i}`));
  expect([issuer.source.status()['waiting'], issuer.seek('k').sought]).toEqual([1_000, 'unavailable']);
  for (const { leave } of all) leave();
  expect(issuer.source.status()['waiting']).toBe(0);
});

test('when it is closed everybody is let go, and nothing is left', async () => {
  const issuer = new Issuer();
  issuer.source.open();
  const waiting = issuer.seek('k1');
  issuer.source.close();
  await settled();
  expect([waiting.sought, issuer.clock.pending, issuer.asked[0]?.request.signal?.aborted]).toEqual([
    'unavailable',
    0,
    true,
  ]);
  expect([issuer.seek('k1').sought, issuer.told]).toEqual(['unavailable', []]);
});
