import type { HeaderDraft } from '../http/headers.ts';
import type { PolicyPlan } from '../policy/policy-plan.ts';
import type { Progress } from './progress.ts';

/** What policies change in the head of a response, whose status is noted already. */
export function editInbound(draft: HeaderDraft, progress: Progress, { inbound }: PolicyPlan): void {
  if (inbound !== null) for (const policy of inbound) policy.edit(draft, progress, progress.status);
}

/** The same for an error of Headgate’s own: scripts must be able to read it, and browsers be as careful as with any other response. */
export function editRefusal(draft: HeaderDraft, progress: Progress, { inbound }: PolicyPlan): void {
  if (inbound === null) return;
  for (const policy of inbound) if (policy.phase !== 'responseHeaders') policy.edit(draft, progress, progress.status);
}
