import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/schema/config.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { KeyPair } from '../exchange/certificate.ts';
import { parseNetwork } from '../routing/client-list.ts';
import { type LocalNames, localNames } from './certificates/local-names.ts';
import type { Complaints } from './complaints.ts';

/** Where a listener's certificate comes from. */
export type CertificateChoice =
  | { readonly kind: 'files'; readonly pair: KeyPair }
  /** The local CA mints one for each of these names that is asked for. */
  | { readonly kind: 'minted'; readonly names: LocalNames };

/** Checks what the schema can't: networks and certificate files. `null` for a listener without TLS, or after a complaint. */
export function compileListener(name: string, whole: Config, complaints: Complaints): CertificateChoice | null {
  const config = whole.listeners[name] as ListenerConfig;
  for (const [index, text] of config.trustedProxies.entries()) {
    const result = parseNetwork(text);
    if (!result.ok) complaints.add(['listeners', name, 'trustedProxies', index], { message: result.message });
  }
  const { tls } = config;
  if (tls === undefined) return null;
  if (tls.certificate === undefined || tls.key === undefined) {
    return { kind: 'minted', names: localNames(name, tls.names, whole) };
  }
  const certificate = readPem(tls.certificate, ['listeners', name, 'tls', 'certificate'], complaints);
  const key = readPem(tls.key, ['listeners', name, 'tls', 'key'], complaints);
  if (certificate === null || key === null) return null;
  return checkPair(name, { certificate, key }, complaints) ? { kind: 'files', pair: { certificate, key } } : null;
}

function readPem(file: string, path: readonly string[], complaints: Complaints): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    complaints.add(path, { code: 'HG0101', message: `cannot read “${file}”: ${code}` });
    return null;
  }
}

function checkPair(name: string, pair: KeyPair, complaints: Complaints): boolean {
  const at = (key: 'certificate' | 'key'): readonly string[] => ['listeners', name, 'tls', key];
  const certificate = parsed(() => new X509Certificate(pair.certificate));
  if (certificate === null) complaints.add(at('certificate'), { message: 'the file holds no PEM certificate' });
  const key = parsed(() => createPrivateKey(pair.key));
  if (key === null) complaints.add(at('key'), { message: 'the file holds no PEM private key without a passphrase' });
  if (certificate === null || key === null) return false;
  if (certificate.checkPrivateKey(key)) return true;
  complaints.add(at('key'), { message: 'the key is not that of the certificate' });
  return false;
}

/** `null` for what OpenSSL can't read; why would only be its internal error code. */
function parsed<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    // ERR_OSSL_…: not PEM, another kind of object, or a passphrase.
    return null;
  }
}
