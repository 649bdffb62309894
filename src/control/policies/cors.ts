import { formatDuration } from '../../config/near-values.ts';
import type { CorsPolicyConfig } from '../../config/schema/policy/cors.ts';
import { compileCors } from '../../policy/cors.ts';
import { originWords } from './origin-words.ts';
import type { PolicyKind } from './policy-kind.ts';

export const corsKind: PolicyKind<CorsPolicyConfig> = {
  merge: 'nearest',
  compile: (config, context) => {
    const result = compileCors(config);
    if (result.ok) return { admit: [result.value.admit], inbound: [result.value.inbound] };
    for (const { path, message } of result.problems) context.complain(path, { message });
    return null;
  },
  words: ({ origins, methods, headers, credentials, maxAge, enforce }) =>
    [
      `scripts of ${origins === '*' ? 'every site' : originWords(origins)}`,
      `methods ${listed(methods)}`,
      ...(headers.length === 0 ? [] : [`fields ${listed(headers)}`]),
      ...(credentials ? ['with credentials'] : []),
      ...(maxAge === undefined ? [] : [`preflights hold for ${formatDuration(maxAge)}`]),
      ...(enforce ? ['others are refused'] : []),
    ].join('; '),
};

function listed(names: '*' | readonly string[]): string {
  return names === '*' ? '*' : names.join(', ');
}
