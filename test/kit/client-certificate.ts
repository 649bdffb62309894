import type { ClientCertificateFacts } from '../../src/exchange/client-certificate.ts';

/** Facts of a certificate that nobody has, but for those that are given. */
export function certificateFacts(facts: Partial<ClientCertificateFacts> = {}): ClientCertificateFacts {
  return {
    subject: 'CN=alice',
    issuer: 'CN=Test CA',
    names: [],
    fingerprint: 'ab'.repeat(32),
    serial: '01',
    notAfter: Number.POSITIVE_INFINITY,
    field: '::',
    chainField: null,
    ...facts,
  };
}
