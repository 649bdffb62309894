import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/policy/admit.ts';
import { type AuthPolicyOptions, authPolicy } from '../../../../src/policy/auth/auth-policy.ts';
import type { Authenticator, AuthResult } from '../../../../src/policy/auth/authenticator.ts';
import { compileIdentityFields } from '../../../../src/policy/auth/identity-fields.ts';
import { problemsOf, working } from '../exchange-facts.ts';
import { identity, policyRequest, refusalOf, way } from './scene.ts';

function policy(ways: readonly Authenticator[], over: Partial<AuthPolicyOptions> = {}) {
  return authPolicy({ ways, satisfy: 'any', writeIdentity: null, ...over });
}

/** A way that has to wait: its answer is given by the test. */
function slow(name: string) {
  const asked: { done: ((result: AuthResult) => void) | null; cancelled: boolean } = { done: null, cancelled: false };
  const authenticator = way(name, {
    presents: () => true,
    authenticate: () => ({
      ...{ kind: 'ask', whom: name },
      begin: (done) => {
        asked.done = done;
      },
      cancel: () => {
        asked.cancelled = true;
      },
    }),
  });
  return { asked, authenticator };
}

function begun(verdict: Verdict | null) {
  if (verdict?.kind !== 'consult') throw new Error('It does not wait');
  const verdicts: (Verdict | null)[] = [];
  verdict.consultation.begin((said) => verdicts.push(said));
  return { verdicts, consultation: verdict.consultation };
}

describe('any', () => {
  const two = [way('one'), way('two')];

  test('the way whose credentials the request brings decides', () => {
    const request = policyRequest(['x-two', 'yes']);
    expect(policy(two).admit(request)).toBeNull();
    expect(request.identity).toMatchObject({ user: 'two' });
  });

  test('wrong credentials of one are not made good by another', () => {
    const request = policyRequest(['x-one', 'no', 'x-two', 'yes']);
    const { reason, fields } = refusalOf(policy(two).admit(request));
    expect([reason, fields]).toEqual(['one-wrong', ['WWW-Authenticate', 'one realm="r"']]);
    expect(request.identity).toBeNull();
  });

  test('without credentials the challenges of all are told, each on a line of its own (RFC 9110 §11.6.1)', () => {
    const { status, reason, fields } = refusalOf(policy(two).admit(policyRequest()));
    expect([status, reason]).toEqual([401, 'credentials-missing']);
    expect(fields).toEqual(['WWW-Authenticate', 'one realm="r"', 'WWW-Authenticate', 'two realm="r"']);
  });

  test('one way alone says so in its own words', () => {
    expect(refusalOf(policy([way('one')]).admit(policyRequest())).reason).toBe('one-wrong');
  });

  test('a way that leads to a login does so before others are told of', () => {
    const reply = { status: 302, headers: ['Location', '/login'], body: null, reason: 'login', error: null };
    const login = way('login', { authenticate: () => ({ kind: 'reply', reply }) });
    expect(policy([way('one'), login]).admit(policyRequest())).toEqual({ kind: 'reply', reply });
  });
});

describe('all', () => {
  test('each has to know it, and what they know comes together: user and claims of the first count', () => {
    const request = policyRequest(['x-one', 'yes', 'x-two', 'yes']);
    const ways = [
      way('one', { known: { claims: { role: 'admin' }, fields: ['X-A', '1'], removes: ['x-one'] } }),
      way('two', {
        known: { claims: { role: 'none', team: 'a' }, fields: ['X-B', '2'], removes: ['x-two'], cookie: 'c=1' },
      }),
    ];
    expect(policy(ways, { satisfy: 'all' }).admit(request)).toBeNull();
    expect(request.identity).toEqual({
      ...{ scheme: 'basic', user: 'one', claims: { role: 'admin', team: 'a' }, fields: ['X-A', '1', 'X-B', '2'] },
      ...{ removes: ['x-one', 'x-two'], cookie: 'c=1', seesCredentials: false },
      apart: JSON.stringify([
        ['basic', 'one', null],
        ['basic', 'two', null],
      ]),
    });
  });

  test('the first that does not know it refuses', () => {
    const request = policyRequest(['x-one', 'yes']);
    expect(refusalOf(policy([way('one'), way('two')], { satisfy: 'all' }).admit(request)).reason).toBe('two-wrong');
    expect(request.identity).toBeNull();
  });
});

describe('a way that has to wait', () => {
  test('is waited for, and then the next', () => {
    const [first, second] = [slow('first'), slow('second')];
    const request = policyRequest(['x-last', 'yes']);
    const ways = [first.authenticator, second.authenticator, way('last')];
    const { verdicts } = begun(policy(ways, { satisfy: 'all' }).admit(request));
    first.asked.done?.({ kind: 'known', identity: identity({ user: 'ann' }) });
    expect([verdicts, request.identity]).toEqual([[], null]);
    second.asked.done?.({ kind: 'known', identity: identity({ user: 'bob' }) });
    expect([verdicts, request.identity?.user]).toEqual([[null], 'ann']);
  });

  test('is heard once, and not after the client has left', () => {
    const { asked, authenticator } = slow('first');
    const request = policyRequest();
    const { verdicts, consultation } = begun(policy([authenticator]).admit(request));
    consultation.cancel();
    asked.done?.({ kind: 'known', identity: identity() });
    expect([asked.cancelled, verdicts, request.identity]).toEqual([true, [], null]);
  });

  test('the second of two is cancelled when the client leaves meanwhile', () => {
    const [first, second] = [slow('first'), slow('second')];
    const ways = [first.authenticator, second.authenticator];
    const { consultation } = begun(policy(ways, { satisfy: 'all' }).admit(policyRequest()));
    first.asked.done?.({ kind: 'known', identity: identity() });
    consultation.cancel();
    expect([first.asked.cancelled, second.asked.cancelled]).toEqual([false, true]);
  });

  test('may answer at once, and may not ask for ever', () => {
    const endless: AuthResult = {
      ...{ kind: 'ask', whom: 'itself' },
      begin: (done) => done(endless),
      cancel: () => {},
    };
    const own = way('x', { presents: () => true, authenticate: () => endless });
    const { verdicts } = begun(policy([own]).admit(policyRequest()));
    expect(refusalOf(verdicts[0] ?? null)).toMatchObject({ status: 500, reason: 'auth-endless' });
  });
});

test('a bug after a wait is an answer of 500, since nobody else would catch it', () => {
  const { asked, authenticator } = slow('one');
  const broken = way('two', {
    authenticate: () => {
      throw new Error('bug');
    },
  });
  const { verdicts } = begun(policy([authenticator, broken], { satisfy: 'all' }).admit(policyRequest()));
  asked.done?.({ kind: 'known', identity: identity() });
  expect(verdicts.map(refusalOf)).toMatchObject([{ status: 500, reason: 'bug', cause: { message: 'bug' } }]);
});

describe('what endpoints are told', () => {
  const headers = { 'X-User': '{auth.user}', 'X-Role': '{claim.role}', 'X-Team': '{claim.team}' };

  test('templates read the identity, and what is empty is not sent', () => {
    const request = policyRequest(['x-one', 'yes']);
    const one = way('one', { known: { user: 'ann\xc3\xa9', claims: { role: 'a\r\nX-Evil: 1' } } });
    policy([one], { writeIdentity: working(compileIdentityFields(headers, [])) }).admit(request);
    expect(request.identity?.fields).toEqual(['X-User', 'ann\xc3\xa9', 'X-Role', 'a  X-Evil: 1']);
  });

  test('credentials of every way go no further, whichever has decided', () => {
    const request = policyRequest(['x-one', 'yes', 'x-two', 'no']);
    const hidden: string[] = [];
    const ways = [
      way('one', { credentialFields: ['x-one'] }),
      way('two', { credentialFields: ['x-two'], hideCredentials: () => hidden.push('two') }),
    ];
    policy(ways).admit(request);
    expect([request.identity?.removes, hidden]).toEqual([['x-one', 'x-two'], ['two']]);
  });

  test('what the way that decides sends on is not kept back by another that would keep it', () => {
    const ways = [
      way('one', { credentialFields: ['authorization', 'x-one'] }),
      way('two', { forwardedFields: ['authorization'] }),
    ];
    const removed = (headers: readonly string[]): unknown => {
      const request = policyRequest(headers);
      policy(ways).admit(request);
      return request.identity?.removes;
    };
    expect([removed(['x-one', 'yes']), removed(['x-two', 'yes'])]).toEqual([['authorization', 'x-one'], ['x-one']]);
  });

  test.each([
    [{ Authorization: 'x' }, /Authorization would be taken from every client on every route/],
    [{ Cookie: 'x' }, /Cookie would be taken/],
    [{ Host: 'x' }, /Host is chosen by the pool/],
    [{ 'X-User': '{auth.usr}' }, /unknown variable \{auth\.usr\} \(did you mean \{auth\.user\}\?\)/],
    [{ 'X-User': 'a', 'x-user': 'b' }, /x-user is set twice/],
  ])('%j is refused', (config, message) => {
    expect(problemsOf(compileIdentityFields(config as Record<string, string>, [])).join()).toMatch(message);
  });
});
