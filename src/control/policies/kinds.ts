import type { PolicyKey, PolicySetConfig } from '../../config/schema/policy/policy-set.ts';
import { accessKind } from './access.ts';
import { authKind } from './auth.ts';
import { compressKind } from './compress.ts';
import { concurrencyKind } from './concurrency.ts';
import { corsKind } from './cors.ts';
import { csrfKind } from './csrf.ts';
import { decompressKind } from './decompress.ts';
import { errorPagesKind } from './error-pages.ts';
import { guardsKind } from './guards.ts';
import { requestHeadersKind, responseHeadersKind } from './header-edit-kinds.ts';
import { limitsKind } from './limits.ts';
import { maintenanceKind } from './maintenance.ts';
import { pathsKind } from './paths.ts';
import type { PolicyKind } from './policy-kind.ts';
import { rateLimitKind } from './rate-limit.ts';
import { securityHeadersKind } from './security-headers.ts';
import { substituteKind } from './substitute.ts';

type Given<K extends PolicyKey> = Exclude<PolicySetConfig[K], undefined | false>;

/** What each key of a group or route is compiled by. */
export const KINDS: { readonly [K in PolicyKey]: PolicyKind<Given<K>> } = {
  maintenance: maintenanceKind,
  limits: limitsKind,
  paths: pathsKind,
  access: accessKind,
  guards: guardsKind,
  auth: authKind,
  cors: corsKind,
  csrf: csrfKind,
  securityHeaders: securityHeadersKind,
  rateLimit: rateLimitKind,
  concurrency: concurrencyKind,
  errorPages: errorPagesKind,
  decompress: decompressKind,
  substitute: substituteKind,
  compress: compressKind,
  requestHeaders: requestHeadersKind,
  responseHeaders: responseHeadersKind,
};
