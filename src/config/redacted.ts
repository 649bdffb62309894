import { stringify } from 'yaml';
import type { Config } from './schema/config.ts';
import type { TlsConfig } from './schema/tls.ts';

/** The configuration as it is understood, every default filled in, without what must not be shown. */
export function redacted(config: Config): Config {
  const listeners = Object.entries(config.listeners).map(([name, listener]) => {
    return [name, listener.tls === undefined ? listener : { ...listener, tls: withoutSecrets(listener.tls) }] as const;
  });
  const pools = Object.entries(config.pools).map(([name, pool]) => {
    if (pool.affinity?.secret === undefined) return [name, pool] as const;
    return [name, { ...pool, affinity: { ...pool.affinity, secret: ['(secret)'] } }] as const;
  });
  const admin = config.admin.token === undefined ? config.admin : { ...config.admin, token: '(secret)' };
  return { ...config, admin, listeners: Object.fromEntries(listeners), pools: Object.fromEntries(pools) };
}

function withoutSecrets(tls: TlsConfig): TlsConfig {
  const certificates = tls.certificates.map((entry) =>
    entry.passphrase === undefined ? entry : { ...entry, passphrase: '(secret)' },
  );
  const { acme } = tls;
  if (acme?.eab === undefined) return { ...tls, certificates };
  return { ...tls, certificates, acme: { ...acme, eab: { ...acme.eab, hmac: '(secret)' } } };
}

/** The same as YAML text. */
export function redactedYaml(config: Config): string {
  return stringify(redacted(config));
}
