import type { RouteRequest, ValueTest } from '../route.ts';
import { quoted, type ValueCheck } from '../value-test.ts';
import type { BodyMatch } from './body-match.ts';
import type { RequestMessage, Unsaid } from './request-message.ts';

/** One condition on a body, compiled. */
export interface BodyCondition {
  readonly subject: string;
  readonly wanted: string;
  holds(request: RouteRequest): boolean;
  actual(request: RouteRequest): string;
}

/** Where problems of a matching object go, by keys from `body` on. */
export interface BodyScope {
  /** `null` for a test that has a problem, which is told. */
  check(test: ValueTest, key: readonly string[]): ValueCheck | null;
  problem(message: string, key: readonly string[]): void;
}

/** `ask` says what the body says, or why it does not; `actual` the same for people. */
export function condition(
  match: BodyMatch,
  [subject, wanted]: readonly [string, string],
  ask: (message: RequestMessage) => boolean | Unsaid,
  actual: (message: RequestMessage) => string,
): BodyCondition {
  return {
    subject: `body ${subject}`,
    wanted,
    holds: ({ body }) => {
      if (body === null) return false;
      const answer = ask(body);
      return typeof answer === 'boolean' ? answer : holdsUnsaid(answer, body, match);
    },
    actual: ({ body }) => (body === null ? 'absent' : actual(body)),
  };
}

/** The branch that the rule states for a body that does not say it. Who refuses has matched: no other rule shall have the request. */
function holdsUnsaid(why: Unsaid, body: RequestMessage, { whenTooLarge, whenMalformed }: BodyMatch): boolean {
  if (why === 'unread') {
    body.wanted = true;
    return false;
  }
  body.note ??= `match-body:${why}`;
  const branch = why === 'too-large' ? whenTooLarge : why === 'malformed' ? whenMalformed : 'no-match';
  if (branch === 'refuse') body.refusal ??= why === 'too-large' ? 'body-too-large-to-match' : 'body-malformed-to-match';
  return branch !== 'no-match';
}

/** The same for people. */
export const UNSAID: Readonly<Record<Unsaid, string>> = {
  unread: 'not known without the body',
  'too-large': 'beyond what is read of a body',
  malformed: 'malformed',
  'other-type': 'of another type',
  encoded: 'encoded',
};

export function valuesText(values: readonly (string | null)[]): string {
  const texts = values.filter((value) => value !== null).map(quoted);
  return texts.length === 0 ? 'absent' : texts.join(', ');
}
