import { z } from 'zod';
import { isMap, oneOrMore } from './units.ts';

/** How a listener terminates TLS. */
export const tls = z
  .strictObject({
    certificate: z.string().optional().describe('PEM file with the certificate chain'),
    key: z.string().optional().describe('PEM file with the private key'),
    names: oneOrMore(z.string())
      .default(['localhost', '127.0.0.1', '::1'])
      .describe('Without certificate and key: names of the certificate that the local CA mints'),
  })
  .refine((value) => (value.certificate === undefined) === (value.key === undefined), {
    message: 'certificate and key belong together: give both or neither',
    when: isMap,
  });

export type TlsConfig = z.output<typeof tls>;
