import type { OutliersConfig } from '../../config/schema/pool/outliers.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { OutlierPolicy } from '../../upstream/outlier/outlier-policy.ts';
import { OutlierWatcher } from '../../upstream/outlier/outlier-watcher.ts';
import type { Ledger } from '../ledger.ts';

/** Passive health of a pool; `null` for one without. */
export function compileOutliers(
  pool: string,
  config: OutliersConfig | undefined,
  context: { readonly members: () => readonly Endpoint[]; readonly ledger: Ledger },
): OutlierWatcher | null {
  if (config === undefined) return null;
  const { members, ledger } = context;
  return new OutlierWatcher({ pool, policy: policyOf(config), members, parts: ledger.upstream });
}

function policyOf(config: OutliersConfig): OutlierPolicy {
  const { latency } = config;
  const failures = new Set(config.statuses);
  return {
    consecutive: config.consecutive,
    errorRatio: config.errorRatio || null,
    latency: latency === undefined ? null : { times: latency.times, leastMs: latency.least },
    minimum: config.minimum,
    intervalMs: config.interval,
    ejectionMs: config.ejection,
    maxEjectionMs: config.maxEjection,
    maxEjected: config.maxEjected,
    isFailure: (status) => failures.has(status),
  };
}
