import type { SecurityHeadersPolicyConfig } from '../../config/schema/policy/security-headers.ts';
import { FIELD_NAMES, type SecurityFieldKey, securityHeaders } from '../../policy/security-headers.ts';
import type { PolicyKind } from './policy-kind.ts';

export const securityHeadersKind: PolicyKind<SecurityHeadersPolicyConfig> = {
  merge: 'nearest',
  compile: (config) => ({ inbound: [securityHeaders(config)] }),
  words: (config) =>
    [
      `preset ${config.preset}`,
      ...(Object.keys(FIELD_NAMES) as SecurityFieldKey[]).flatMap((key) => {
        const value = config[key];
        if (value === undefined) return [];
        return [value === false ? `no ${FIELD_NAMES[key]}` : `${FIELD_NAMES[key]}: ${value}`];
      }),
      ...(config.override ? ['in place of the endpoint’s own'] : []),
    ].join('; '),
};
