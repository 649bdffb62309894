import type { HeaderEditsConfig } from '../../config/schema/policies.ts';
import { compileHeaderEdits } from '../../policy/header-edits.ts';
import { headerWords } from '../explain/policy-words.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';

/** Of groups; a route's own come last, and are part of its plan. */
export const requestHeadersKind: PolicyKind<HeaderEditsConfig> = {
  merge: 'all',
  words: headerWords,
  compile: (config, context) => {
    const editRequest = edits(config, context, 'request');
    return editRequest === null ? null : { editRequest };
  },
};

export const responseHeadersKind: PolicyKind<HeaderEditsConfig> = {
  merge: 'all',
  words: headerWords,
  compile: (config, context) => {
    const edit = edits(config, context, 'response');
    return edit === null ? null : { inbound: [{ phase: 'responseHeaders', edit }] };
  },
};

function edits(config: HeaderEditsConfig, context: PolicyContext, direction: 'request' | 'response') {
  const result = compileHeaderEdits(config, context.captures, direction);
  if (result.ok) return result.value;
  for (const { path, message } of result.problems) context.complain(path, { message });
  return null;
}
