import type { SecurityHeadersPolicyConfig } from '../../config/schema/policy/security-headers.ts';
import { type TransportSecurity, transportSecurity } from '../../http/hsts.ts';
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
      ...(config.hsts === undefined ? [] : [hstsWords(config.hsts)]),
      ...(config.override ? ['in place of the endpoint’s own'] : []),
    ].join('; '),
};

function hstsWords(hsts: TransportSecurity | null): string {
  const value = transportSecurity(hsts);
  return value === null ? 'no Strict-Transport-Security' : `Strict-Transport-Security: ${value}`;
}
