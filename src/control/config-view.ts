import { effective } from '../config/effective.ts';
import { effectiveData, valuesOf } from '../config/effective-yaml.ts';
import type { Origins } from '../config/origins.ts';
import { withoutSecrets } from '../config/secret-values.ts';

/** The configuration that is served. Plain data, nothing secret. */
export interface ConfigView {
  /** As one writes it, every default filled in. What is quarantined is there too. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Where values are written (`routes/shop.yaml:12`), by JSON pointer (RFC 6901); what is not here is a default. */
  readonly origins: Readonly<Record<string, string>>;
}

export function configView({ root }: Origins): ConfigView {
  const shown = withoutSecrets(effective(root));
  const origins: Record<string, string> = {};
  for (const { path, leaf } of valuesOf(shown)) {
    if (leaf.origin.kind === 'default') continue;
    const { file, line } = leaf.origin.place;
    origins[pointerOf(path)] = `${file}:${line}`;
  }
  return { config: effectiveData(shown) as ConfigView['config'], origins };
}

function pointerOf(path: readonly (string | number)[]): string {
  return path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
