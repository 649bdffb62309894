/** How a listener terminates TLS. Immutable: when a file that it was made from changes, a new one takes its place. */
export interface TlsPolicy {
  readonly minVersion: '1.2' | '1.3';
  /** Cipher suites, groups and whose preference counts: Mozilla's recommendation of that name. */
  readonly profile: 'intermediate' | 'modern';
  /** `null`: no session is ever resumed. */
  readonly tickets: TicketKeys | null;
  /** A session can be resumed for this long after its full handshake, seconds. */
  readonly sessionSeconds: number;
  /** `null`: clients are not asked for a certificate. */
  readonly clientCertificates: ClientCertificatePolicy | null;
  /**
   * Names what a session was agreed under, at most 32 characters. A session of another scope is never resumed: one that was
   * made where no client certificate is asked for opens no door where one is (CVE-2025-23419).
   */
  readonly scope: string;
}

export interface ClientCertificatePolicy {
  /** `request`: a client may have none. A certificate that does not verify is refused in both modes. */
  readonly mode: 'request' | 'require';
  /** PEM, at least one certificate. */
  readonly ca: string;
  /** PEM, one entry per list; empty when nothing is checked for revocation. */
  readonly crls: readonly string[];
}

/** The policy of one listener as it is now. */
export interface TlsPolicySource {
  /** Asked at every handshake: the same object as long as nothing has changed. */
  current(): TlsPolicy;
}

/** A key that seals session tickets (RFC 5077 §4). */
export interface TicketKey {
  /** 16 octets, sent with every ticket: tells which key opens it. */
  readonly name: Uint8Array;
  /** 32 octets, for HMAC-SHA-256. */
  readonly hmac: Uint8Array;
  /** 16 octets, for AES-128-CBC. */
  readonly aes: Uint8Array;
}

export interface TicketKeys {
  /** The first one seals, all of them open. Never empty. Asked once or twice per handshake. */
  current(): readonly TicketKey[];
}
