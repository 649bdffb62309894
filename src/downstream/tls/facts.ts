import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsFacts } from '../../exchange/exchange.ts';
import type { ClientCertificatePolicy } from '../../exchange/tls-policy.ts';
import { type ClientCertificates, verdictReason } from './client-certificate.ts';
import { comparableName } from './client-hello.ts';

export interface FactsContext {
  /** `null` where clients are not asked for a certificate. */
  readonly policy: ClientCertificatePolicy | null;
  readonly certificates: ClientCertificates;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the log and the routes want to know of a finished handshake. */
export function tlsFactsOf(socket: TLSSocket, context: FactsContext): TlsFacts {
  const { servername } = socket;
  return {
    serverName: typeof servername === 'string' && servername !== '' ? comparableName(servername) : null,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    ...(context.policy === null ? NOT_ASKED : judged(socket, context.policy, context)),
  };
}

type Judgement = Pick<TlsFacts, 'clientCertificate' | 'refusal'>;

const NOT_ASKED: Judgement = { clientCertificate: null, refusal: null };

/**
 * Node never refuses a handshake over a certificate that does not verify, and can't send the alert for it: like nginx, the
 * gateway finishes the handshake and answers 400, which a person can read.
 */
function judged(socket: TLSSocket, policy: ClientCertificatePolicy, context: FactsContext): Judgement {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return policy.mode === 'request' ? NOT_ASKED : refused('client-certificate-required');
  }
  // Anything but a clear yes is a no.
  const verdict: unknown = socket.authorizationError;
  if (!socket.authorized) return refused(verdictReason(String(verdict)));
  const facts = context.certificates.factsOf(certificate, policy);
  // A full handshake has looked at that; a session that is resumed was made when the certificate was still good.
  return context.now > facts.notAfter
    ? refused('client-certificate-expired')
    : { clientCertificate: facts, refusal: null };
}

function refused(refusal: string): Judgement {
  return { clientCertificate: null, refusal };
}
