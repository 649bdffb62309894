import { z } from 'zod';
import { isLocalName } from '../local-name.ts';
import { acme } from './acme.ts';
import { duration, isMap, oneOrMore } from './units.ts';

/** Text in YAML only in quotes: a bare 1.2 is a number. */
const version = z
  .union([z.enum(['1.2', '1.3']), z.literal(1.2), z.literal(1.3)])
  .transform((value) => String(value) as '1.2' | '1.3');

const localName = z
  .string()
  .refine(isLocalName, { message: 'a name is a host name, *.name, or an IP address without brackets' });

const certificateFile = z
  .strictObject({
    certificate: z.string().optional().describe('PEM file with the certificate chain'),
    key: z.string().optional().describe('PEM file with the private key'),
    pkcs12: z.string().optional().describe('PKCS#12 file with the chain and the key, in place of the two'),
    passphrase: z.string().optional().describe('Of the key or of the PKCS#12 file'),
  })
  .refine(({ certificate, key }) => (certificate === undefined) === (key === undefined), {
    message: 'certificate and key belong together: give both or neither',
    when: isMap,
  })
  .refine(
    ({ certificate, key, pkcs12 }) => (pkcs12 === undefined) !== (certificate === undefined && key === undefined),
    {
      message: 'a certificate is either certificate and key, or pkcs12',
      when: isMap,
    },
  );

const clientCertificates = z.strictObject({
  mode: z
    .enum(['request', 'require'])
    .describe('request: a client may have none; require: it may not. One that does not verify is refused in both'),
  ca: z.string().describe('PEM file with the authorities that sign client certificates'),
  crl: z.string().optional().describe('PEM file with their revocation lists, one of each authority of a chain'),
  forward: z.boolean().default(false).describe('Tell endpoints of it: Client-Cert and Client-Cert-Chain (RFC 9440)'),
});

/** Two years, as Mozilla recommends. */
const HSTS_MS = 730 * 86_400_000;

const YEAR_MS = 365 * 86_400_000;

const hstsChoice = z.union([
  z.boolean(),
  z
    .strictObject({
      maxAge: duration.default(HSTS_MS).describe('How long browsers remember; 0 makes them forget'),
      includeSubDomains: z.boolean().default(false).describe('For every name below this one too'),
      preload: z.boolean().default(false).describe('May be put on the list that browsers bring along'),
    })
    .refine(({ maxAge, includeSubDomains, preload }) => !preload || (includeSubDomains && maxAge >= YEAR_MS), {
      message: 'preload is for includeSubDomains and a maxAge of 365d at least: the list takes nothing else',
      path: ['preload'],
      when: isMap,
    }),
]);

function hstsOf(value: z.output<typeof hstsChoice>) {
  if (value === false) return null;
  return value === true ? { maxAge: HSTS_MS, includeSubDomains: false, preload: false } : value;
}

/** `null` for `false`. */
export const hstsValue = hstsChoice.transform(hstsOf);
const hsts = hstsChoice.default(false).transform(hstsOf);

/** How a listener terminates TLS. */
export const tls = z
  .strictObject({
    certificate: z.string().optional().describe('PEM file with the certificate chain'),
    key: z.string().optional().describe('PEM file with the private key'),
    certificates: z
      .array(certificateFile)
      .default([])
      .describe('More of them, each shown for the names that stand in it; the first of all is the default'),
    unknownNames: z
      .enum(['default', 'refuse'])
      .default('default')
      .describe('Clients that ask for a name that no certificate has: the default one, or no handshake'),
    ocspStapling: z
      .boolean()
      .default(true)
      .describe('Fetch the OCSP response of certificates that name a responder, and send it in the handshake'),
    names: oneOrMore(localName)
      .optional()
      .describe(
        'What the local CA may mint certificates for; without certificate: localhost, *.localhost, 127.0.0.1, ::1 and the hosts of the routes',
      ),
    acme: acme.optional().describe('Get a certificate from an authority by ACME, and renew it (docs/tls.md)'),
    minVersion: version.default('1.2').describe('Oldest version of TLS that is spoken: 1.2 or 1.3'),
    profile: z
      .enum(['intermediate', 'modern'])
      .default('intermediate')
      .describe('Cipher suites and groups, as Mozilla recommends them; modern is TLS 1.3 alone'),
    sessionTickets: z.boolean().default(true).describe('Let clients that come back resume their session'),
    ticketRotation: duration
      .default(12 * 3_600_000)
      .describe('How often the key of session tickets is renewed; the one before is still understood for as long'),
    ticketKeys: z
      .string()
      .optional()
      .describe('File with session ticket keys for several gateways, in place of keys of our own (docs/tls.md)'),
    hsts: hsts.describe('Strict-Transport-Security on every response: browsers then come by https alone'),
    clientCertificates: clientCertificates.optional().describe('Ask clients for a certificate'),
  })
  .refine((value) => (value.certificate === undefined) === (value.key === undefined), {
    message: 'certificate and key belong together: give both or neither',
    when: isMap,
  });

export type TlsConfig = z.output<typeof tls>;
