import type { HeaderList } from './headers.ts';

/**
 * `Client-Cert` and `Client-Cert-Chain` (RFC 9440 §2), in any case and with `_` for any `-`, which CGI-like endpoints can't tell
 * apart. Only a gateway says these of a client; what a client says itself is removed (§2.4). Hot: nearly every name is told by its length.
 */
export function isClientCertField(name: string): boolean {
  if ((name.length !== 11 && name.length !== 17) || (name.charCodeAt(0) | 0x20) !== LETTER_C) return false;
  const plain = name.toLowerCase().replaceAll('_', '-');
  return plain === 'client-cert' || plain === 'client-cert-chain';
}

/** `fields` without them. */
export function withoutClientCert(fields: HeaderList): HeaderList {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!isClientCertField(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

const LETTER_C = 0x63;
