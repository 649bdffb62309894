import type { SubstituteConfig } from '../../config/schema/policy/substitute.ts';
import { mediaTypeTest } from '../../policy/compress/compressible.ts';
import { compileSubstitutions } from '../../policy/substitute/substitute.ts';
import type { PolicyKind } from './policy-kind.ts';

export const substituteKind: PolicyKind<SubstituteConfig> = {
  merge: 'nearest',
  words: ({ rules, types }) => `${rules.map(({ find }) => JSON.stringify(find)).join(', ')} in ${types.join(', ')}`,
  compile: ({ rules, types }, context) => {
    const result = compileSubstitutions(rules, mediaTypeTest(types), context.captures);
    if (result.ok) return { transform: result.value };
    for (const { path, message } of result.problems) context.complain(['rules', ...path], { message });
    return null;
  },
};
