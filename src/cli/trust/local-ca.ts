import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Authority } from './store.ts';

/** Where the local CA of a gateway that is started here is kept. */
export interface Place {
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
  /** The configuration comes from the command line (`headgate /api=3000`). */
  readonly inline: boolean;
}

/** Beside the configuration in a checkout; for the command line alone, where programs keep their data (XDG base directories). */
export function certificatesDirectory({ environment, home, inline }: Place): string {
  const { HEADGATE_CERTS } = environment;
  if (HEADGATE_CERTS !== undefined) return HEADGATE_CERTS;
  return !inline || existsSync('certs') ? 'certs' : dataDirectory(environment, home);
}

/** The same for a command that does not know how the gateway is started: the CA that is there, else the one that would be made. */
export function likelyCertificatesDirectory({ environment, home }: Omit<Place, 'inline'>): string {
  const hasConfiguration = existsSync('routes') || environment['HEADGATE_CONFIG'] !== undefined;
  const first = certificatesDirectory({ environment, home, inline: !hasConfiguration });
  const other = dataDirectory(environment, home);
  const isElsewhere = environment['HEADGATE_CERTS'] === undefined && !hasAuthority(first) && hasAuthority(other);
  return isElsewhere ? other : first;
}

function dataDirectory({ XDG_DATA_HOME }: NodeJS.ProcessEnv, home: string): string {
  return join(XDG_DATA_HOME ?? join(home, '.local', 'share'), 'headgate', 'certs');
}

function hasAuthority(directory: string): boolean {
  return existsSync(join(directory, 'ca.pem'));
}

/** The CA of `directory` as trust stores know it; `null` when there is none. Throws when the file is no certificate. */
export function localCa(directory: string): Authority | null {
  const file = resolve(directory, 'ca.pem');
  if (!existsSync(file)) return null;
  const pem = readFileSync(file, 'utf8');
  const certificate = new X509Certificate(pem);
  return {
    file,
    pem,
    subject: certificate.subject.replaceAll('\n', ', '),
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    sha1: certificate.fingerprint.replaceAll(':', '').toLowerCase(),
    validUntil: certificate.validToDate.toISOString(),
  };
}
