import type { X509Certificate } from 'node:crypto';

/** `DNS:a.test, IP Address:127.0.0.1, DNS:"…"`: what OpenSSL would have to escape stands in quotes and is no host name. */
const ALTERNATIVE_NAME = /(?:^|, )(DNS|IP Address):((?:"(?:[^"\\]|\\.)*")|[^,]*)/g;
/** A host name, or a wildcard for its first label as a whole (RFC 9525 §6.3). */
const HOST_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * The names that a certificate is for: DNS names, wildcards and IP addresses of its subject alternative name in lower case, in
 * order; the common name only when there is no such extension at all (RFC 9525 appendix A has clients ignore it).
 * Names that no client can ask for are left out; none at all is possible.
 */
export function serverNamesOf(certificate: X509Certificate): readonly string[] {
  const { subjectAltName } = certificate;
  if (subjectAltName === undefined) return commonNamesOf(certificate);
  const names = [...subjectAltName.matchAll(ALTERNATIVE_NAME)].flatMap(([, type, value = '']) => {
    const name = value.toLowerCase();
    return type !== 'DNS' || HOST_NAME.test(name) ? [name] : [];
  });
  return [...new Set(names)];
}

function commonNamesOf(certificate: X509Certificate): readonly string[] {
  const found = [...(certificate.subject ?? '').matchAll(/^CN=(.*)$/gm)].map(([, name = '']) => name.toLowerCase());
  return found.filter((name) => HOST_NAME.test(name));
}
