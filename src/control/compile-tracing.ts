import type { TracingConfig } from '../config/schema/tracing.ts';
import type { TracePlan } from '../engine/trace.ts';

/** `null` without the section: trace contexts are passed on as they came. */
export function compileTracing(config: TracingConfig | undefined): TracePlan | null {
  if (config === undefined) return null;
  return { sample: config.sample, trustClients: config.trustClients, exports: false, errors: false };
}
