import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { PolicyMetrics } from '../observe/policy-metrics.ts';
import type { PolicyObserver } from '../policy/policy-state.ts';

/** Log lines and metrics of what happens to policies besides requests. */
export function policyLog(log: Logger, metrics: Metrics): PolicyObserver {
  const counts = new PolicyMetrics(metrics);
  return ({ policy, owner, event, level, detail }) => {
    log[level]({ policy, owner, event }, detail);
    counts.happened(policy, owner, event);
  };
}
