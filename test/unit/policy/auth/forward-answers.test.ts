import { expect, test } from 'vitest';
import type { HeaderList } from '../../../../src/http/headers.ts';
import { anonymous, type Judged, judge, noAnswer } from '../../../../src/policy/auth/forward-answer.ts';
import { ForwardAnswers } from '../../../../src/policy/auth/forward-answers.ts';
import { questionDigest, questions } from '../../../../src/policy/auth/forward-question.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { variables } from '../exchange-facts.ts';

/** A service that answers when it is told to. */
class Service {
  readonly clock = new ManualClock();
  readonly answers = new ForwardAnswers('answers', () => this.clock.monotonic());
  readonly asked: { readonly done: (judged: Judged) => void; isGivenUp: boolean }[] = [];

  ask(text: string): { said: Judged | null; leave: () => void } {
    const one: { said: Judged | null; leave: () => void } = { said: null, leave: () => {} };
    const service = (_: HeaderList, done: (judged: Judged) => void) => {
      const asked = { done, isGivenUp: false };
      this.asked.push(asked);
      return () => {
        asked.isGivenUp = true;
      };
    };
    one.leave = this.answers.ask({ digest: text, question: [], service }, (judged) => {
      one.said = judged;
    });
    return one;
  }
}

const KEPT: Judged = { kind: 'allow', identity: anonymous, setCookies: [], isForAll: true, keepMs: 1_000 };
const ALONE: Judged = { ...KEPT, setCookies: ['s=1'], isForAll: false, keepMs: 0 };

test('the same question of several at once is asked once, and the answer kept', () => {
  const service = new Service();
  const [a, b, other] = [service.ask('q'), service.ask('q'), service.ask('r')];
  expect(service.asked).toHaveLength(2);
  service.asked[0]?.done(KEPT);
  expect([a.said, b.said, other.said]).toEqual([KEPT, KEPT, null]);
  service.clock.advance(999);
  expect(service.answers.get('q')).toBe(KEPT);
  service.clock.advance(1);
  expect([service.answers.get('q'), service.answers.status()]).toEqual([null, { answers: 0, questions: 1 }]);
});

test('an answer for one alone is for the first of them; the others ask themselves', () => {
  const service = new Service();
  const [a, b, c] = [service.ask('q'), service.ask('q'), service.ask('q')];
  service.asked[0]?.done(ALONE);
  expect([a.said, b.said, c.said, service.asked.length]).toEqual([ALONE, null, null, 3]);
  c.leave();
  expect(service.asked.map(({ isGivenUp }) => isGivenUp)).toEqual([false, false, true]);
  service.asked[1]?.done(noAnswer);
  expect([b.said, service.answers.get('q')]).toEqual([noAnswer, null]);
});

test('a question is given up when the last who waits for it leaves', () => {
  const service = new Service();
  const [a, b] = [service.ask('q'), service.ask('q')];
  a.leave();
  expect(service.asked[0]?.isGivenUp).toBe(false);
  b.leave();
  expect([service.asked[0]?.isGivenUp, service.answers.status()['questions']]).toEqual([true, 0]);
  const next = service.ask('q');
  service.asked[1]?.done(KEPT);
  expect([next.said, a.said, b.said]).toEqual([KEPT, null, null]);
});

test('a failure is told to everybody who waits, and not kept', () => {
  const service = new Service();
  const [a, b] = [service.ask('q'), service.ask('q')];
  service.asked[0]?.done(noAnswer);
  expect([a.said, b.said, service.answers.get('q')]).toEqual([noAnswer, noAnswer, null]);
});

test('what is kept is bounded by number and by size', () => {
  const service = new Service();
  const keep = (digest: string, judged: Judged) => {
    service.ask(digest);
    service.asked.at(-1)?.done(judged);
  };
  for (let i = 0; i < 5_100; i += 1) keep(`q${i}`, KEPT);
  expect([service.answers.status()['answers'], service.answers.get('q0')]).toEqual([5_000, null]);
  const body = new Uint8Array(1024 * 1024);
  const reply = { status: 403, headers: [], body, reason: 'x', error: null };
  for (let i = 0; i < 10; i += 1) keep(`big${i}`, { kind: 'deny', reply, isForAll: true, keepMs: 1_000 });
  expect(service.answers.status()['answers']).toBeLessThan(4);
});

const OPTIONS = {
  ...{ responseHeaders: ['X-User'], userHeader: 'x-user', setCookies: true, refusalBodyBytes: 10 },
  refusalHeaders: new Set(['location', 'set-cookie']),
};

function judged(status: number, headers: readonly string[] = [], body = '', refusals = true) {
  const answer = { status, headers, body: Buffer.from(body) };
  const result = judge(answer, OPTIONS, { longestMs: 5_000, refusals });
  return [result.kind, result.isForAll, result.keepMs];
}

test.each<[string, ReturnType<typeof judged>, readonly unknown[]]>([
  ['yes', judged(204), ['allow', true, 5_000]],
  ['yes, for shorter', judged(200, ['Cache-Control', 'max-age=2']), ['allow', true, 2_000]],
  ['yes, for longer than may be', judged(200, ['Cache-Control', 'max-age=60']), ['allow', true, 5_000]],
  ['yes, not to be kept', judged(200, ['Cache-Control', 'no-store']), ['allow', false, 0]],
  ['yes, to be asked each time', judged(200, ['Cache-Control', 'no-cache']), ['allow', true, 0]],
  ['yes, with a cookie', judged(200, ['Set-Cookie', 's=1']), ['allow', false, 0]],
  ['no', judged(403), ['deny', true, 5_000]],
  ['no, where a no is not kept', judged(403, [], '', false), ['deny', true, 0]],
  ['to the login, with a cookie', judged(302, ['Location', '/', 'Set-Cookie', 's=1']), ['deny', false, 0]],
  ['to nowhere', judged(302), ['strange', true, 0]],
  ['not found', judged(404), ['strange', true, 0]],
  ['too much to do', judged(503), ['failed', true, 0]],
  ['more identity than heads take', judged(200, ['X-User', 'x'.repeat(9_000)]), ['strange', true, 0]],
])('%s', (_, is, expected) => {
  expect(is).toEqual(expected);
});

test('control characters in what a service says never reach a line of ours', () => {
  const keep = { longestMs: 0, refusals: false };
  const yes = judge({ status: 200, headers: ['X-User', 'a\r\nX-Role: root\0'], body: new Uint8Array() }, OPTIONS, keep);
  expect(yes.kind === 'allow' && yes.identity.fields).toEqual(['X-User', 'a  X-Role: root']);
  const no = judge({ status: 302, headers: ['Location', '/\r\nX: y'], body: new Uint8Array() }, OPTIONS, keep);
  expect(no.kind === 'deny' && no.reply.headers.slice(0, 2)).toEqual(['Location', '/  X: y']);
});

test('a question has what the service is told and nothing else; another client, path or credential is another one', () => {
  const ask = questions({ requestHeaders: ['Authorization', 'X-Api'], originalUrl: true, sessionCookies: null });
  const headers = [
    'Authorization',
    'Bearer a',
    'x-api',
    '1',
    'X-Forwarded-Uri',
    '/evil',
    'Connection',
    'x-api',
    'Cookie',
    'c',
  ];
  const question = ask(variables({ request: { headers }, path: '/a', query: 'x' }));
  expect(question).toEqual([
    ...['X-Forwarded-Method', 'GET', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'shop.test:8443'],
    ...['X-Forwarded-Uri', '/a?x', 'X-Forwarded-For', '192.0.2.7'],
    ...['X-Original-URL', 'https://shop.test:8443/a?x', 'X-Original-Method', 'GET', 'Authorization', 'Bearer a'],
  ]);
  const digests = [
    questionDigest(question),
    ...[
      { path: '/b' },
      { client: { address: '192.0.2.8' } },
      { request: { headers: ['Authorization', 'Bearer b'] } },
    ].map((facts) => questionDigest(ask(variables({ request: { headers }, path: '/a', query: 'x', ...facts })))),
  ];
  expect(new Set(digests).size).toBe(4);
});
