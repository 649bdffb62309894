import { expect, test } from 'vitest';
import type { AuthResult } from '../../../../src/policy/auth/authenticator.ts';
import { jwtAuthenticator } from '../../../../src/policy/auth/jwt.ts';
import { TokenChecks } from '../../../../src/policy/auth/token-checks.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { unsigned } from '../../../kit/tokens.ts';
import { policyRequest } from './scene.ts';

const RULES = {
  ...{ issuers: null, audiences: null, algorithms: null, types: null, skewMs: 0, maxAgeMs: null, required: [] },
};

/** A way with one key, by which the test says when a signature is sound. */
function scene(checks: TokenChecks) {
  const verifying: ((isSound: boolean) => void)[] = [];
  const verify = () => new Promise<boolean>((resolve) => verifying.push(resolve));
  const key = { kid: 'k1', algorithms: new Set(['ES256']), verify };
  const source = { name: 'keys', current: { keys: [key] }, seek: null, retryAfterSeconds: 1 };
  const options = { from: ['bearer' as const], rules: RULES, userClaim: 'sub', forwardCredentials: true, realm: null };
  const way = jwtAuthenticator(options, { clock: new ManualClock(), source, checks });
  const ask = () => asked(way.authenticate(policyRequest(['Authorization', `Bearer ${TOKEN}`])));
  return { verifying, ask, rotate: () => (source.current = { keys: [key] }) };
}

const TOKEN = unsigned({ alg: 'ES256', kid: 'k1' });

/** What comes of it at last. */
async function asked(result: AuthResult): Promise<string> {
  if (result.kind === 'refused') return result.error.reason;
  if (result.kind !== 'ask') return result.kind;
  return asked(await new Promise<AuthResult>((resolve) => result.begin(resolve)));
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

test('a token is not taken for good because a configuration of before, with other keys, is looking at it', async () => {
  const checks = new TokenChecks('checks');
  const [before, now] = [scene(checks), scene(checks)];
  const [old, fresh] = [before.ask(), now.ask()];
  await settled();
  before.verifying[0]?.(true);
  await settled();
  now.verifying[0]?.(false);
  expect([await old, await fresh]).toEqual(['known', 'token-signature']);
});

test('keys that change while a token is looked at have it looked at again', async () => {
  const one = scene(new TokenChecks('checks'));
  const token = one.ask();
  await settled();
  one.rotate();
  one.verifying[0]?.(true);
  await settled();
  one.verifying[1]?.(false);
  expect(await token).toBe('token-signature');
});
