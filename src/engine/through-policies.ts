import type { AdmitPolicy, Verdict } from '../policy/admit.ts';
import type { Decision } from './decide.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';

/** Asks the policies in their order, from the one at `from` on; `then` is what is done when none objects. */
export function throughPolicies(
  progress: Progress,
  plan: RoutePlan | null,
  then: (nowMs: number) => Decision,
  nowMs: number,
  from = 0,
): Decision {
  const policies = progress.policies?.admit ?? noPolicies;
  for (let i = from; i < policies.length; i += 1) {
    const policy = policies[i] as AdmitPolicy;
    const verdict = policy.admit(progress);
    if (verdict !== null)
      return follow(progress, verdict, {
        plan,
        policy,
        next: (now) => throughPolicies(progress, plan, then, now, i + 1),
      });
  }
  return then(nowMs);
}

const noPolicies: readonly AdmitPolicy[] = Object.freeze([]);

/** What a policy wants. */
function follow(
  progress: Progress,
  verdict: Verdict,
  at: { readonly plan: RoutePlan | null; readonly policy: AdmitPolicy; readonly next: (nowMs: number) => Decision },
): Decision {
  const { plan, policy, next } = at;
  if (verdict.kind === 'consult') {
    const resume = (answer: Verdict | null, nowMs: number): Decision =>
      answer === null ? next(nowMs) : follow(progress, answer, at);
    return { kind: 'consult', plan, consultation: verdict.consultation, resume };
  }
  progress.decidedBy = policy.policy;
  return verdict.kind === 'refuse' ? verdict : { kind: 'reply', reply: verdict.reply, plan };
}
