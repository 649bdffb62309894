import { type HeaderDraft, hasHeader, removeHeader, setHeader } from '../http/headers.ts';
import { type TransportSecurity, transportSecurity } from '../http/hsts.ts';
import type { InboundPolicy } from './inbound.ts';
import { isSecure } from './own-origin.ts';

export type SecurityPreset = 'basic' | 'strict' | 'api' | 'none';

/** A field by its key in the configuration: another value than the preset's, or `false` for none. */
export type SecurityFieldKey = keyof typeof FIELD_NAMES;

export interface SecurityHeadersConfig extends Readonly<Partial<Record<SecurityFieldKey, string | false | undefined>>> {
  readonly preset: SecurityPreset;
  readonly override: boolean;
  /** `null`: none; `undefined`: as the listener or the endpoint has it. */
  readonly hsts?: TransportSecurity | null | undefined;
  readonly remove: readonly string[];
}

export const FIELD_NAMES = {
  contentTypeOptions: 'X-Content-Type-Options',
  frameOptions: 'X-Frame-Options',
  referrerPolicy: 'Referrer-Policy',
  contentSecurityPolicy: 'Content-Security-Policy',
  contentSecurityPolicyReportOnly: 'Content-Security-Policy-Report-Only',
  permissionsPolicy: 'Permissions-Policy',
  crossOriginOpenerPolicy: 'Cross-Origin-Opener-Policy',
  crossOriginEmbedderPolicy: 'Cross-Origin-Embedder-Policy',
  crossOriginResourcePolicy: 'Cross-Origin-Resource-Policy',
} as const;

const STRICT_CSP =
  "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; script-src-attr 'none'";
const NO_SENSORS =
  'accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()';

/**
 * What sites of a kind have in common. `basic` breaks no site that does not want to be in other sites' frames; `strict` is for one whose scripts, styles
 * and frames are all its own; `api` for what no browser shows as a page. `same-origin` and not `no-referrer`: with that, browsers send `Origin: null`
 * with the forms of the site itself (Fetch §3.1), which CSRF checks refuse.
 */
export const PRESETS: Readonly<Record<SecurityPreset, Readonly<Partial<Record<SecurityFieldKey, string>>>>> = {
  none: {},
  basic: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'SAMEORIGIN',
    referrerPolicy: 'strict-origin-when-cross-origin',
    contentSecurityPolicy: "frame-ancestors 'self'",
  },
  strict: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'DENY',
    referrerPolicy: 'same-origin',
    contentSecurityPolicy: STRICT_CSP,
    permissionsPolicy: NO_SENSORS,
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginEmbedderPolicy: 'require-corp',
    crossOriginResourcePolicy: 'same-origin',
  },
  api: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
    crossOriginResourcePolicy: 'same-origin',
  },
};

interface Field {
  readonly name: string;
  readonly lower: string;
  readonly value: string;
}

/** Fields that tell browsers what a response may do. What the endpoint says itself stays, unless `override`. */
export function securityHeaders(config: SecurityHeadersConfig): InboundPolicy {
  const fields = fieldsOf(config);
  const removed = config.remove.map((name) => name.toLowerCase());
  const { override, hsts } = config;
  const certain = fields.filter(({ lower }) => lower === 'x-content-type-options');
  const transport = hsts === undefined ? undefined : transportSecurity(hsts);
  return {
    phase: 'securityHeaders',
    edit(draft, { request, client }, status) {
      for (const lower of removed) removeHeader(draft, lower);
      if (override) for (const { name, value } of fields) setHeader(draft, name, value);
      // What it has takes the place of what the browser has stored (RFC 9111 §3.2), which may be the endpoint's own and stricter.
      else for (const field of status === 304 ? certain : fields) fillIn(draft, field);
      // RFC 6797 §7.2: never over plain HTTP.
      if (transport !== undefined) setTransport(draft, isSecure(request, client) ? transport : null);
    },
  };
}

/** In the order of the table above. */
function fieldsOf(config: SecurityHeadersConfig): readonly Field[] {
  const keys = Object.keys(FIELD_NAMES) as readonly SecurityFieldKey[];
  return keys.flatMap((key) => {
    const value = config[key] ?? PRESETS[config.preset][key] ?? false;
    const name = FIELD_NAMES[key];
    return value === false ? [] : [{ name, lower: name.toLowerCase(), value }];
  });
}

function fillIn(draft: HeaderDraft, { name, lower, value }: Field): void {
  if (!hasHeader(draft, lower)) draft.push(name, value);
}

/** In place of the listener's, so that there is one. */
function setTransport(draft: HeaderDraft, value: string | null): void {
  if (value === null) removeHeader(draft, 'strict-transport-security');
  else setHeader(draft, 'Strict-Transport-Security', value);
}
