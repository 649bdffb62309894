import { z } from 'zod';
import { isMap, oneOrMore } from './units.ts';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/** A name that a public authority can validate by the challenges that there are. */
const dnsName = z
  .string()
  .toLowerCase()
  .max(253)
  .refine((text) => !text.startsWith('*'), 'a wildcard would need the challenge dns-01: list the names instead')
  .regex(
    new RegExp(`^(?:\\*\\.)?(?:${LABEL}\\.)*${LABEL}$`),
    'a DNS name is letters, digits and “-” between dots (beyond ASCII, its “xn--” form)',
  );

const directory = z
  .string()
  .refine(
    (text) => text.startsWith('https://') && URL.canParse(text),
    'a directory is an https:// URL (RFC 8555 §6.1)',
  );

/** One address and nothing that a mailto: URL would take for more (RFC 8555 §7.3). */
const email = z.string().regex(/^[^\s@,?]+@[^\s@,?]+$/, 'not an e-mail address');

/** Secrets of an account that exists at the authority already. */
const externalAccount = z.strictObject({
  kid: z.string().min(1).describe('Key identifier'),
  hmac: z
    .string()
    .regex(/^[A-Za-z0-9_-]{22,}={0,2}$/, 'a MAC key is base64url')
    .describe('MAC key, base64url'),
});

/** A certificate from an authority that speaks ACME (RFC 8555). To configure it is to agree to the authority's terms of service. */
export const acme = z
  .strictObject({
    names: oneOrMore(dnsName)
      .refine((names) => names.length <= 100, 'one certificate has 100 names at most')
      .describe('Names of the certificate; each must lead here from the internet'),
    email: email.optional().describe('Where the authority may write to'),
    directory: directory.optional().describe('Directory of the authority; Let’s Encrypt’s unless given'),
    staging: z.boolean().default(false).describe('Let’s Encrypt’s staging environment, for trying out'),
    challenge: z
      .enum(['tls-alpn-01', 'http-01'])
      .default('tls-alpn-01')
      .describe('How control over the names is proved: on port 443, or on port 80'),
    ca: z.string().optional().describe('PEM file with the authorities that vouch for the directory’s own server'),
    eab: externalAccount.optional().describe('External account binding, where the authority asks for it'),
  })
  .refine(({ directory, staging }) => directory === undefined || !staging, {
    message: 'staging is Let’s Encrypt’s: give either it or a directory',
    path: ['staging'],
    when: isMap,
  });

export type AcmeConfig = z.output<typeof acme>;
