import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { inTime } from './deadline.ts';

/** What a client saw of a handshake. */
export interface Handshake {
  /** Names in the certificate that it was shown, as OpenSSL prints them: `DNS:a.test`. */
  readonly names: string;
  readonly serialNumber: string;
  readonly keyType: 'ecdsa' | 'rsa';
  readonly protocol: string;
  /** The stapled OCSP response, if any. */
  readonly ocspResponse: Buffer | null;
}

export interface HandshakeOptions extends ConnectionOptions {
  readonly port: number;
  /** Server name; none is sent unless given. */
  readonly name?: string;
}

/** Shakes hands, trusting everybody, and closes. Rejects with the alert or reset that ended the handshake. */
export async function shakeHands(options: HandshakeOptions): Promise<Handshake> {
  const socket = await secured(options);
  const { serialNumber, subjectaltname = '', asn1Curve } = socket.getPeerCertificate();
  const shown = {
    names: subjectaltname,
    serialNumber,
    keyType: asn1Curve === undefined ? ('rsa' as const) : ('ecdsa' as const),
    protocol: socket.getProtocol() ?? '',
    ocspResponse: responses.get(socket) ?? null,
  };
  socket.destroy();
  return shown;
}

const responses = new WeakMap<TLSSocket, Buffer>();

/** A connection after its handshake, trusting everybody. The caller closes it. */
export function secured({ name = '', ...options }: HandshakeOptions): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const socket = connect({ host: '127.0.0.1', servername: name, rejectUnauthorized: false, ...options });
  socket.on('OCSPResponse', (response) => {
    if (response !== null) responses.set(socket, response);
  });
  socket.on('error', reject);
  socket.once('secureConnect', () => resolve(socket));
  return inTime(promise, 'a TLS handshake');
}
