import { createHash } from 'node:crypto';
import type { TlsConfig } from '../../config/schema/tls.ts';
import type { ClientCertificatePolicy, TlsPolicy } from '../../exchange/tls-policy.ts';
import { isCertificate } from '../certificates/pem-certificate.ts';
import { isRevocationList } from '../certificates/revocation-list.ts';
import { readNamedFile } from '../named-file.ts';
import { parseTicketKeys } from './ticket-key-file.ts';

/** What a listener's `tls` section says of its policy, with the files that it names. */
export interface TlsSettings extends Pick<TlsPolicy, 'minVersion' | 'profile' | 'scope'> {
  readonly tickets: TicketSettings;
  readonly clientCertificates: ClientCertificatePolicy | null;
}

export type TicketSettings =
  | { readonly kind: 'off' }
  | { readonly kind: 'rotating'; readonly rotationMs: number }
  | { readonly kind: 'file'; readonly secrets: readonly Uint8Array[] };

const MIN_ROTATION_MS = 60_000;
/** RFC 8446 §4.6.1: no ticket is used after a week. */
const MAX_ROTATION_MS = 7 * 86_400_000;

/** What is wrong with a file or value, by keys from the `tls` section: `['clientCertificates', 'crl']`. */
export interface TlsProblem {
  readonly key: readonly string[];
  /** Lower case, no full stop; nothing of what stands in a file. */
  readonly message: string;
}

export type TlsReading =
  | { readonly ok: true; readonly settings: TlsSettings }
  | { readonly ok: false; readonly problems: readonly TlsProblem[] };

/** Reads what a `tls` section says of its policy, and the files that it names. */
export function readTlsSettings(tls: TlsConfig): TlsReading {
  const problems: TlsProblem[] = [];
  const tickets = ticketSettings(tls, (key, message) => problems.push({ key: [key], message }));
  const clients = clientCertificatePolicy(tls, (key, message) =>
    problems.push({ key: ['clientCertificates', key], message }),
  );
  if (problems.length > 0 || tickets === null) return { ok: false, problems };
  const settings = {
    minVersion: tls.profile === 'modern' ? '1.3' : tls.minVersion,
    profile: tls.profile,
    tickets,
    clientCertificates: clients,
    scope: scopeOf(tls, clients === null ? [] : [clients.ca, ...clients.crls]),
  } as const;
  return { ok: true, settings };
}

/** The files that settings are read from: when one changes, they are read again. */
export function filesOfTlsSettings(tls: TlsConfig): readonly string[] {
  const { clientCertificates: clients, sessionTickets, ticketKeys } = tls;
  return [sessionTickets ? ticketKeys : undefined, clients?.ca, clients?.crl].filter((file) => file !== undefined);
}

type Complain = (key: keyof TlsConfig, message: string) => void;

function ticketSettings(tls: TlsConfig, complain: Complain): TicketSettings | null {
  if (!tls.sessionTickets) return { kind: 'off' };
  const { ticketKeys, ticketRotation } = tls;
  if (ticketKeys === undefined) {
    if (ticketRotation >= MIN_ROTATION_MS && ticketRotation <= MAX_ROTATION_MS) {
      return { kind: 'rotating', rotationMs: ticketRotation };
    }
    complain('ticketRotation', 'session ticket keys are renewed after 1m at least and 7d at most');
    return null;
  }
  const text = readText(ticketKeys, (message) => complain('ticketKeys', message));
  if (text === null) return null;
  const parsed = parseTicketKeys(text);
  if (parsed.ok) return { kind: 'file', secrets: parsed.secrets };
  complain('ticketKeys', parsed.message);
  return null;
}

function clientCertificatePolicy(
  { clientCertificates: clients }: TlsConfig,
  complain: (key: 'ca' | 'crl', message: string) => void,
): ClientCertificatePolicy | null {
  if (clients === undefined) return null;
  const ca = readText(clients.ca, (message) => complain('ca', message)) ?? '';
  const authorities = pemBlocks(ca, 'CERTIFICATE');
  if (ca !== '' && !(authorities.length > 0 && authorities.every(isCertificate))) {
    complain('ca', 'the file holds no PEM certificates, or one that can’t be read');
  }
  if (clients.crl === undefined) return { mode: clients.mode, ca, crls: [] };
  const crl = readText(clients.crl, (message) => complain('crl', message)) ?? '';
  // One by one: OpenSSL takes the first list of a text and is silent about the others.
  const crls = pemBlocks(crl, 'X509 CRL');
  if (crl !== '' && !(crls.length > 0 && crls.every(isRevocationList))) {
    complain('crl', 'the file holds no PEM revocation lists (“X509 CRL”), or one that can’t be read');
  }
  return { mode: clients.mode, ca, crls };
}

function pemBlocks(text: string, label: string): readonly string[] {
  return text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];
}

function readText(file: string, complain: (message: string) => void): string | null {
  try {
    const text = readNamedFile(file).toString();
    if (text.trim() !== '') return text;
    complain('the file is empty');
    return null;
  } catch (error) {
    complain(`cannot read “${file}”: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`);
    return null;
  }
}

/** What has no say in whether a session may be resumed. */
const INDIFFERENT = new Set(['sessionTickets', 'ticketRotation', 'ticketKeys', 'hsts', 'ocspStapling']);

/**
 * Listeners of one scope take each other's sessions: those that show the same certificates under the same conditions. With
 * other certificates they don't, since whoever redirects a client from one to the other would not be noticed: a resumed
 * session shows no certificate. With other client certificate rules they must not (CVE-2025-23419), and a new CA or
 * revocation list ends every session, so that all clients are looked at again.
 */
function scopeOf(tls: TlsConfig, contents: readonly string[]): string {
  const conditions = Object.entries(tls).filter(([key]) => !INDIFFERENT.has(key));
  const text = JSON.stringify([conditions.toSorted(([a], [b]) => (a < b ? -1 : 1)), contents]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 32);
}
