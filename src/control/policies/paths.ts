import type { PathsConfig } from '../../config/schema/policy/paths.ts';
import { PATH_DOUBTS, pathsPolicy } from '../../policy/paths.ts';
import type { PolicyKind } from './policy-kind.ts';

export const pathsKind: PolicyKind<PathsConfig> = {
  merge: 'nearest',
  words: (config) => {
    const refused = refusedBy(config);
    const words = refused.length === 0 ? 'refuse nothing' : `refuse ${refused.join(', ')}`;
    return config.dryRun ? `${words} (dry run)` : words;
  },
  compile: (config) => {
    const refused = refusedBy(config);
    if (refused.length === 0) return {};
    return { admit: [pathsPolicy({ refuse: new Set(refused), dryRun: config.dryRun })] };
  },
};

function refusedBy(config: PathsConfig) {
  return PATH_DOUBTS.filter((doubt) => config[doubt] === 'refuse');
}
