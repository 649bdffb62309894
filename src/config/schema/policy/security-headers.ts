import { z } from 'zod';
import { hstsValue } from '../tls.ts';
import { fieldValue, headerName } from '../units.ts';

const value = z.union([z.literal(false), fieldValue.min(1)]).optional();

/** Fields that tell browsers to be careful. */
export const securityHeaders = z.strictObject({
  preset: z
    .enum(['basic', 'strict', 'api', 'none'])
    .default('basic')
    .describe('basic for any site, strict for one that needs nothing of others, api for what is no page, none'),
  override: z.boolean().default(false).describe('Replace what the endpoint says itself'),
  contentTypeOptions: z
    .union([z.literal(false), z.literal('nosniff')])
    .optional()
    .describe('X-Content-Type-Options'),
  frameOptions: z
    .union([z.literal(false), z.enum(['DENY', 'SAMEORIGIN'])])
    .optional()
    .describe('X-Frame-Options'),
  referrerPolicy: value.describe('Referrer-Policy'),
  contentSecurityPolicy: value.describe('Content-Security-Policy'),
  contentSecurityPolicyReportOnly: value.describe('Content-Security-Policy-Report-Only'),
  permissionsPolicy: value.describe('Permissions-Policy'),
  crossOriginOpenerPolicy: value.describe('Cross-Origin-Opener-Policy'),
  crossOriginEmbedderPolicy: value.describe('Cross-Origin-Embedder-Policy'),
  crossOriginResourcePolicy: value.describe('Cross-Origin-Resource-Policy'),
  hsts: hstsValue.optional().describe('Strict-Transport-Security in place of the listener’s; only ever over TLS'),
  remove: z
    .array(headerName)
    .default(['Server', 'X-Powered-By'])
    .describe('Fields of the endpoint that tell attackers more than others'),
});

export type SecurityHeadersPolicyConfig = z.output<typeof securityHeaders>;
