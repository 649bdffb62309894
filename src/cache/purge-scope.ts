/** What a purge is about, beyond single URLs. Texts are normalised as keys are. */
export type PurgeScope =
  /** Of a URL: `https://shop.test/assets/`. */
  | { readonly kind: 'prefix'; readonly prefix: string }
  /** `shop.test` on every port and by both schemes, or `shop.test:8443`. */
  | { readonly kind: 'host'; readonly host: string }
  /** Everything that has one of them. */
  | { readonly kind: 'tag'; readonly tags: readonly string[] }
  | { readonly kind: 'all' };

/** What a stored response, or one on its way, is purged by. */
export interface Purgeable {
  /** Begins with its URL: scheme, host in lower case and without a default port, path. */
  readonly key: string;
  /** `packTags`; empty for none. */
  readonly tags: string;
}

/** Compiled: is this one meant? Costs 20 to 50 ns. */
export function scopeTest(scope: PurgeScope): (entry: Purgeable) => boolean {
  switch (scope.kind) {
    case 'prefix':
      return ({ key }) => key.startsWith(scope.prefix);
    case 'host':
      return ({ key }) => isOfHost(key, scope.host);
    case 'tag': {
      const needles = scope.tags.map((tag) => ` ${tag} `);
      return ({ tags }) => tags !== '' && needles.some((needle) => tags.includes(needle));
    }
    case 'all':
      return () => true;
  }
}

function isOfHost(key: string, host: string): boolean {
  const from = key.indexOf('://') + '://'.length;
  if (!key.startsWith(host, from)) return false;
  const next = key[from + host.length];
  return next === '/' || next === ':' || next === undefined;
}
