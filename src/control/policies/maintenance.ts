import { formatDuration } from '../../config/near-values.ts';
import type { MaintenancePolicyConfig } from '../../config/schema/policy/maintenance.ts';
import { NetworkSetDraft } from '../../policy/access/network-set.ts';
import { maintenancePolicy } from '../../policy/maintenance.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';
import { PresentFile } from './present-file.ts';

export const maintenanceKind: PolicyKind<MaintenancePolicyConfig> = {
  merge: 'nearest',
  compile: ({ enabled, whileFile, retryAfter, allow }, context) => {
    const serves = servedOf(allow, context);
    const file = whileFile === undefined ? null : presentFile(whileFile, context);
    if (serves === 'wrong' || file === 'wrong') return null;
    const retryAfterSeconds = Math.floor(retryAfter / 1000);
    const isOn = enabled || file === null ? () => enabled : () => file.present;
    return {
      ...(enabled || file !== null ? { admit: [maintenancePolicy({ isOn, retryAfterSeconds, serves })] } : {}),
      ...(serves === null ? {} : { servedInMaintenance: serves }),
    };
  },
  words: ({ enabled, whileFile, retryAfter, allow }) =>
    [
      ...(enabled ? ['out of service'] : []),
      ...(whileFile === undefined || enabled ? [] : [`out of service while there is ${whileFile}`]),
      ...(enabled || whileFile !== undefined ? [`come again in ${formatDuration(retryAfter)}`] : []),
      ...(allow.length === 0 ? [] : [`served meanwhile: ${allow.join(', ')}`]),
    ].join('; '),
};

function servedOf(allow: readonly string[], context: PolicyContext): ((address: string) => boolean) | 'wrong' | null {
  const draft = new NetworkSetDraft();
  let isSound = true;
  for (const [index, text] of allow.entries()) {
    const message = draft.add(text);
    if (message !== null) context.complain(['allow', index], { message });
    isSound &&= message === null;
  }
  if (!isSound) return 'wrong';
  const networks = draft.built();
  return allow.length === 0 ? null : (address) => networks.holds(address);
}

function presentFile(path: string, context: PolicyContext): PresentFile | 'wrong' {
  const { owner, world } = context;
  const id = `present maintenance ${owner} ${path}`;
  const { clock, observer } = world;
  try {
    const file = context.state(
      id,
      () => new PresentFile({ ...{ id, policy: 'maintenance', owner, path }, clock, observer }),
    );
    return file;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    context.complain(['whileFile'], {
      code: 'HG0101',
      message: `cannot look for ${path}: ${code ?? message}`,
      outside: true,
    });
    return 'wrong';
  }
}
