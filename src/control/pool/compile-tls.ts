import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { EndpointTls } from '../../upstream/endpoint.ts';
import { isCertificate } from '../certificates/pem-certificate.ts';
import type { Complaints } from '../complaints.ts';
import { readNamedFile } from '../named-file.ts';

/** TLS settings of a pool, its files read. Complains of what can't be used. */
export function compileTls(name: string, config: PoolConfig, complaints: Complaints): EndpointTls {
  const { tls } = config;
  let ca: string | null = null;
  if (tls?.ca !== undefined) {
    try {
      ca = readNamedFile(tls.ca).toString();
      if (!isCertificate(ca)) {
        complaints.add(['pools', name, 'tls', 'ca'], { message: `“${tls.ca}” holds no PEM certificate` });
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
      complaints.add(['pools', name, 'tls', 'ca'], { code: 'HG0101', message: `cannot read “${tls.ca}”: ${code}` });
    }
  }
  return { serverName: tls?.serverName ?? null, ca, insecure: tls?.insecure ?? false };
}
