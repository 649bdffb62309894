import type { CsrfPolicyConfig } from '../../config/schema/policy/csrf.ts';
import { compileCsrf } from '../../policy/csrf.ts';
import { originWords } from './origin-words.ts';
import type { PolicyKind } from './policy-kind.ts';

export const csrfKind: PolicyKind<CsrfPolicyConfig> = {
  merge: 'nearest',
  compile: (config, context) => {
    const result = compileCsrf(config);
    if (result.ok) return { admit: [result.value] };
    for (const { path, message } of result.problems) context.complain(path, { message });
    return null;
  },
  words: ({ origins, sameSite, requireOrigin, dryRun }) =>
    [
      dryRun ? 'note what other sites make browsers send' : 'refuse what other sites make browsers send',
      ...(origins.length === 0 ? [] : [`except ${originWords(origins)}`]),
      ...(sameSite ? ['hosts of the same site may'] : []),
      ...(requireOrigin ? ['and who does not say where it comes from'] : []),
    ].join('; '),
};
