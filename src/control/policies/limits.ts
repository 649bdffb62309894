import { formatSize } from '../../config/near-values.ts';
import type { LimitsConfig } from '../../config/schema/policy/limits.ts';
import { headLimitsPolicy } from '../../policy/head-limits.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';

export const limitsKind: PolicyKind<LimitsConfig> = {
  merge: 'nearest',
  words: limitWords,
  compile: (config, context) => {
    const { body, headerBytes = null, headerCount = null, targetBytes = null } = config;
    if (!isWithinListeners(config, context)) return null;
    const limitsHead = headerBytes !== null || headerCount !== null || targetBytes !== null;
    return {
      ...(body === undefined ? {} : { bodyLimitBytes: body }),
      ...(limitsHead ? { admit: [headLimitsPolicy({ headerBytes, headerCount, targetBytes })] } : {}),
    };
  },
};

/** A limit above those of all listeners would never be met, and whoever wrote it means that more is let in. */
function isWithinListeners({ headerBytes, headerCount }: LimitsConfig, { config, complain }: PolicyContext): boolean {
  const limits = Object.values(config.listeners).flatMap((listener) =>
    listener.kind === 'http' ? listener.limits : [],
  );
  if (limits.length === 0) return true;
  const bytes = Math.max(...limits.map((limit) => limit.headerBytes));
  const count = Math.max(...limits.map((limit) => limit.headerCount));
  const isTooLarge = headerBytes !== undefined && headerBytes > bytes;
  const isTooMany = headerCount !== undefined && headerCount > count;
  if (isTooLarge) {
    complain(['headerBytes'], {
      message: `no listener takes more than ${formatSize(bytes)}: raise its limits.headerBytes`,
    });
  }
  if (isTooMany) {
    complain(['headerCount'], { message: `no listener takes more than ${count} fields: raise its limits.headerCount` });
  }
  return !isTooLarge && !isTooMany;
}

function limitWords({ body, headerBytes, headerCount, targetBytes }: LimitsConfig): string {
  return [
    ...(body === undefined ? [] : [`body ${formatSize(body)}`]),
    ...(headerBytes === undefined ? [] : [`head ${formatSize(headerBytes)}`]),
    ...(headerCount === undefined ? [] : [`${headerCount} header fields`]),
    ...(targetBytes === undefined ? [] : [`target ${formatSize(targetBytes)}`]),
  ].join(', ');
}
