import { GatewayError } from '../../errors.ts';
import type { AdmitPolicy, PolicyRequest, Verdict } from '../admit.ts';
import { inspect } from './inspect.ts';
import { bitOf, GUARD_RULE_IDS, type GuardRuleId, idsOf } from './rule-ids.ts';

export interface GuardsOptions {
  /** `detect` refuses nothing. */
  readonly mode: 'detect' | 'block';
  readonly exclude: ReadonlySet<GuardRuleId>;
}

/**
 * Looks for common attacks in path, query and header fields of a request: a guard rail, and no more. Linear in what a client sends; bodies
 * are not read. Notes each rule that is broken; `block` refuses for the first of them.
 */
export function guardPolicy({ mode, exclude }: GuardsOptions): AdmitPolicy<'guards'> {
  const enabled = GUARD_RULE_IDS.reduce((bits, id) => (exclude.has(id) ? bits : bits | bitOf(id)), 0);

  function admit(request: PolicyRequest): Verdict | null {
    const found = inspect(request.request) & enabled;
    if (found === 0) return null;
    const ids = idsOf(found);
    for (const id of ids) request.note(`guard:${id}`);
    if (mode === 'detect') return null;
    const reason = `guard-${ids[0]}`;
    return { kind: 'refuse', error: new GatewayError('http_request_denied', { blame: 'client', status: 403, reason }) };
  }

  return { phase: 'guards', policy: 'guards', admit };
}
