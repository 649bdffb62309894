/** A certificate chain with its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a server shows for some names. A new one is made when anything of it changes: what is derived from it hangs on its identity. */
export interface ServerCertificate {
  /** At least one; one for each kind of key (ECDSA, RSA): a client gets the one it can verify. */
  readonly pairs: readonly KeyPair[];
  /** The OCSP response to staple (RFC 6066 §8), DER, or `null` while there is none that is current. Asked at each handshake that wants one. */
  readonly ocspResponse: (() => Uint8Array | null) | null;
}

/** Certificates by server name. Asked once per TLS handshake. */
export interface CertificateSource {
  /**
   * `serverName` is the SNI host name in lower case, `null` when the client sent none (then the answer must not be a
   * promise). `null` refuses the handshake with the alert `unrecognized_name` (RFC 6066 §3). A promise, while a certificate
   * is being made, may reject: the handshake fails, with a `GatewayError` for its reason, and anything else is a bug.
   */
  certificateFor(serverName: string | null): ServerCertificate | null | Promise<ServerCertificate | null>;
  /** True while some name has more than one pair; then the name is read before a handshake begins. Default false. */
  readonly hasSeveralKeys?: boolean;
}

/** Certificates that prove control over names to an authority which asks for the protocol `acme-tls/1` (RFC 8737). */
export interface TlsChallenges {
  /** While false, nobody asks, and no handshake need be looked at. */
  readonly pending: boolean;
  /** `serverName` in lower case; `null` for one that is not being asked for. */
  certificateFor(serverName: string): KeyPair | null;
}
