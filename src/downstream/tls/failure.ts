/** Why a handshake came to nothing: enumerated for log and metrics, and what to answer where that is possible. */
export interface HandshakeFailure {
  /** Enumerated kebab-case. What begins with `alert-` is the client's own word for it (RFC 8446 §6.2). */
  readonly reason: string;
  /** OpenSSL's or the system's code, where there is one: `ERR_SSL_NO_SHARED_CIPHER`. */
  readonly code: string | null;
}

const REASONS: Readonly<Record<string, string>> = {
  ERR_SSL_HTTP_REQUEST: 'http-on-tls-port',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'http-on-tls-port',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'unsupported-protocol',
  ERR_SSL_VERSION_TOO_LOW: 'unsupported-protocol',
  ERR_SSL_INAPPROPRIATE_FALLBACK: 'inappropriate-fallback',
  ERR_SSL_NO_SHARED_CIPHER: 'no-shared-cipher',
  ERR_SSL_NO_SHARED_GROUP: 'no-shared-group',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'no-shared-group',
  ERR_SSL_NO_SUITABLE_GROUPS: 'no-shared-group',
  ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS: 'no-shared-signature-algorithm',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'no-shared-signature-algorithm',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'no-shared-protocol',
  ERR_SSL_EXCESSIVE_MESSAGE_SIZE: 'handshake-too-large',
};

/**
 * What a failed handshake is called. `null` for a client that connected and left without a byte, as the health checks of
 * load balancers do: that is no failure. Whatever is not listed is `bad-handshake`, with OpenSSL's own code beside it.
 */
export function failureOf(error: NodeJS.ErrnoException, bytesRead: number): HandshakeFailure | null {
  const code = error.code ?? null;
  const known = code === null ? undefined : REASONS[code];
  if (known !== undefined) return { reason: known, code };
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_ALERT_([A-Z0-9_]+)$/.exec(code ?? '')?.[1];
  if (alert !== undefined) return { reason: `alert-${alert.toLowerCase().replaceAll('_', '-')}`, code };
  if (code?.startsWith('ERR_SSL_') === true) return { reason: 'bad-handshake', code };
  return bytesRead === 0 ? null : { reason: 'handshake-abandoned', code };
}

/** A fatal alert `unrecognized_name` (RFC 6066 §3) as it is sent before anything is encrypted. */
export const UNRECOGNIZED_NAME = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70);

/** `internal_error`: the certificate that should be shown can't be made or used. */
export const INTERNAL_ERROR = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50);
