import { z } from 'zod';

export const tls = z.strictObject({
  ca: z.string().optional().describe('PEM file with the roots to trust in place of the built-in ones'),
  serverName: z.string().optional().describe('SNI and certificate name; the endpoint’s host unless given'),
  insecure: z.boolean().default(false).describe('Do not verify the certificate'),
});
