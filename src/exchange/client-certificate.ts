/** What is known of the certificate that a client has shown, and that was verified. One object for all connections of one certificate. */
export interface ClientCertificateFacts {
  /** Distinguished name as text, the most specific part first (RFC 4514): `CN=alice,OU=Dev,O=Acme`. */
  readonly subject: string;
  readonly issuer: string;
  /** Subject alternative names with their kind: `DNS:a.test`, `URI:spiffe://a/b`, `email:a@b.test`, `IP:192.0.2.1`. */
  readonly names: readonly string[];
  /** SHA-256 of the certificate: 64 hexadecimal digits in lower case. */
  readonly fingerprint: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  /** Milliseconds since the epoch. A resumed session may outlive its certificate. */
  readonly notAfter: number;
  /** Value of `Client-Cert` (RFC 9440 §2.2). With its chain at most 100 KiB in DER: OpenSSL takes no more. */
  readonly field: string;
  /** Value of `Client-Cert-Chain` (RFC 9440 §2.3), the certificates between this one and the authority, each verified by the next; `null` without any. */
  readonly chainField: string | null;
}
