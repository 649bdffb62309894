import { constants } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsPolicy } from '../../exchange/tls-policy.ts';

/**
 * Mozilla's recommendations for server-side TLS, version 6.0, but for one thing: they leave the order to the client, for the
 * sake of telephones without AES in their processor. Here the order is ours, which scanners ask for, and ChaCha20 goes
 * first for the clients that put it first: what it was left to them for.
 */
const SUITES_OF_TLS13 = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
const SUITES_OF_TLS12 = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];
const GROUPS = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1'];

/** The versions, suites and groups of a policy, as `createSecureContext` takes them. */
export interface ProfileOptions {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers: string;
  readonly ecdhCurve: string;
  readonly secureOptions: number;
}

export function profileOptions({ profile, minVersion }: Pick<TlsPolicy, 'profile' | 'minVersion'>): ProfileOptions {
  const modern = profile === 'modern' || minVersion === '1.3';
  groups ??= GROUPS.filter(isKnown).join(':');
  return {
    minVersion: modern ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: (modern ? SUITES_OF_TLS13 : [...SUITES_OF_TLS13, ...SUITES_OF_TLS12]).join(':'),
    ecdhCurve: groups,
    secureOptions: constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_PRIORITIZE_CHACHA,
  };
}

let groups: string | null = null;

/** X25519MLKEM768 came with OpenSSL 3.5; a Node that was built with another one lacks it. */
function isKnown(group: string): boolean {
  try {
    createSecureContext({ ecdhCurve: group });
    return true;
  } catch {
    // ERR_CRYPTO_OPERATION_FAILED: "Failed to set ECDH curve".
    return false;
  }
}
