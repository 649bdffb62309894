import type { PolicyKey, PolicySetConfig } from '../../config/schema/policy/policy-set.ts';
import { accessKind } from './access.ts';
import { authKind } from './auth.ts';
import { requestHeadersKind, responseHeadersKind } from './header-edit-kinds.ts';
import { pathsKind } from './paths.ts';
import type { PolicyKind } from './policy-kind.ts';

type Given<K extends PolicyKey> = Exclude<PolicySetConfig[K], undefined | false>;

/** What each key of a group or route is compiled by. */
export const KINDS: { readonly [K in PolicyKey]: PolicyKind<Given<K>> } = {
  paths: pathsKind,
  access: accessKind,
  auth: authKind,
  requestHeaders: requestHeadersKind,
  responseHeaders: responseHeadersKind,
};
