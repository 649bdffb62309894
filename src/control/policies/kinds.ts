import type { PolicyKey, PolicySetConfig } from '../../config/schema/policy/policy-set.ts';
import { requestHeadersKind, responseHeadersKind } from './header-edit-kinds.ts';
import type { PolicyKind } from './policy-kind.ts';

type Given<K extends PolicyKey> = Exclude<PolicySetConfig[K], undefined | false>;

/** What each key of a group or route is compiled by. */
export const KINDS: { readonly [K in PolicyKey]: PolicyKind<Given<K>> } = {
  requestHeaders: requestHeadersKind,
  responseHeaders: responseHeadersKind,
};
