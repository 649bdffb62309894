import { z } from 'zod';
import { isMap, oneOrMore, valueForms } from './units.ts';

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** The last label is not all digits: that would be an IPv4 address to clients, and no name to any authority. */
const NAME = new RegExp(`^(?=.{1,253}$)(?:\\*\\.)?(?:${LABEL}\\.)*(?![0-9]+$)${LABEL}$`);

/** Wildcards too, so that the compiler can say what is wrong with them here. Parsed to lower case. */
const dnsName = z
  .string()
  .regex(NAME, 'not a DNS name')
  .register(valueForms, {
    kind: 'word',
    noun: 'a DNS name',
    form: 'letters, digits and “-” between dots; beyond ASCII, its “xn--” form',
  })
  .transform((text) => text.toLowerCase());

const directory = z
  .string()
  .refine(
    (text) => text.startsWith('https://') && URL.canParse(text),
    'a directory is an https:// URL (RFC 8555 §6.1)',
  );

/** One address and nothing that a mailto: URL would take for more (RFC 8555 §7.3). */
const email = z
  .string()
  .regex(/^[^\s@,?]+@[^\s@,?]+$/, 'not an e-mail address')
  .register(valueForms, { kind: 'word', noun: 'an e-mail address', form: 'one address, as in ops@shop.example' });

/** Secrets of an account that exists at the authority already. */
const externalAccount = z.strictObject({
  kid: z.string().min(1).describe('Key identifier'),
  hmac: z
    .string()
    .refine((text) => /^[A-Za-z0-9_-]{22,}={0,2}$/.test(text), 'a MAC key is base64url')
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
