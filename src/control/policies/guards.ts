import type { GuardsConfig } from '../../config/schema/policy/guards.ts';
import { guardPolicy } from '../../policy/guards/guard.ts';
import type { PolicyKind } from './policy-kind.ts';

export const guardsKind: PolicyKind<GuardsConfig> = {
  merge: 'nearest',
  words: ({ mode, exclude }) => (exclude.length === 0 ? mode : `${mode}; without ${exclude.join(', ')}`),
  compile: ({ mode, exclude }) => ({ admit: [guardPolicy({ mode, exclude: new Set(exclude) })] }),
};
