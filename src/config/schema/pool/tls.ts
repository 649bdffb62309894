import { z } from 'zod';

export const tls = z
  .strictObject({
    ca: z.string().optional().describe('PEM file with the roots to trust in place of the built-in ones'),
    serverName: z.string().optional().describe('SNI and certificate name; the endpoint’s host unless given'),
    insecure: z.boolean().default(false).describe('Do not verify the certificate'),
    certificate: z.string().optional().describe('PEM file with the certificate to show to endpoints that ask for one'),
    key: z.string().optional().describe('PEM file with its private key'),
    passphrase: z.string().optional().describe('Of the key'),
  })
  .superRefine(({ certificate, key, passphrase }, context) => {
    const alone = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (certificate !== undefined && key === undefined) alone('certificate', 'a certificate needs its “key”');
    if (certificate === undefined && key !== undefined) alone('key', 'a key needs its “certificate”');
    if (key === undefined && passphrase !== undefined) alone('passphrase', 'there is no “key” that it could be of');
  });
