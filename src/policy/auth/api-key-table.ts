import { createHash } from 'node:crypto';

/** Whose a key is. */
export interface ApiKey {
  readonly name: string;
  /** Epoch milliseconds; `null` for never. */
  readonly expiresAt: number | null;
  readonly disabled: boolean;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Keys by what is kept of them. */
export interface ApiKeyTable {
  readonly size: number;
  /** Whose key it is, by its octets; `null` for nobody's. */
  find(key: string): ApiKey | null;
}

/**
 * A table of keys by their SHA-256, in lower-case hex. A fast digest is right here, since keys are drawn at random: 256 bits can't be guessed, however
 * fast one may try, and there is nothing to look up in lists of passwords. Nor does the time of a look-up tell anything: where two digests
 * begin to differ says nothing of the key that one of them is of.
 */
export function apiKeyTable(keys: ReadonlyMap<string, ApiKey>): ApiKeyTable {
  return {
    size: keys.size,
    find: (key) => keys.get(createHash('sha256').update(key, 'latin1').digest('hex')) ?? null,
  };
}
