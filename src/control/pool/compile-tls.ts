import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { KeyPair } from '../../exchange/certificate.ts';
import type { EndpointTls } from '../../upstream/endpoint.ts';
import { loadCertificate, readContent } from '../certificates/certificate-file.ts';
import { isCertificate } from '../certificates/pem-certificate.ts';
import type { Complaints } from '../complaints.ts';
import { readNamedFile } from '../named-file.ts';

/** TLS settings of a pool, its files read. Complains of what can't be used. */
export function compileTls(name: string, config: PoolConfig, complaints: Complaints): EndpointTls {
  const { tls } = config;
  return {
    serverName: tls?.serverName ?? null,
    ca: tls?.ca === undefined ? null : authorities(name, tls.ca, complaints),
    insecure: tls?.insecure ?? false,
    identity: identityOf(name, tls, complaints),
  };
}

function authorities(name: string, file: string, complaints: Complaints): string | null {
  const path = ['pools', name, 'tls', 'ca'];
  try {
    const pem = readNamedFile(file).toString();
    if (isCertificate(pem)) return pem;
    complaints.add(path, { outside: true, message: `“${file}” holds no PEM certificate` });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    complaints.add(path, { code: 'HG0101', outside: true, message: `cannot read “${file}”: ${code}` });
  }
  return null;
}

function identityOf(name: string, tls: PoolConfig['tls'], complaints: Complaints): KeyPair | null {
  if (tls?.certificate === undefined || tls.key === undefined) return null;
  const file = { certificate: tls.certificate, key: tls.key, passphrase: tls.passphrase ?? null };
  const loaded = loadCertificate(file, readContent(file));
  if (loaded.ok) return loaded.certificate.pair;
  for (const { about, unreadable, message } of loaded.problems) {
    complaints.add(['pools', name, 'tls', about], {
      ...(unreadable ? { code: 'HG0101' } : {}),
      outside: true,
      message,
    });
  }
  return null;
}
