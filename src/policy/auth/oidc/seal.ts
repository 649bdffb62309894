import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const IV_BYTES = 12;

/** What was sealed. */
export interface Opened {
  readonly text: string;
  /** By the first of the secrets; otherwise it is worth while to seal it again. */
  readonly isCurrent: boolean;
}

/**
 * Seals text so that only who has one of `secrets` can read it or make another: AES-256-GCM under a key of its own for each text, derived from
 * the secret and 128 random bits. One key with random 96-bit nonces must not seal more than 2^32 texts (NIST SP 800-38D §8.3), and a secret in a file
 * may seal one on each request for years. The first secret seals, all open. What is sealed for one `purpose` does not open for another.
 */
export class Seal {
  readonly #keys: readonly Buffer[];

  constructor(secrets: readonly string[], purpose: string) {
    this.#keys = secrets.map((secret) => createHmac('sha256', secret).update(`headgate ${purpose}`).digest());
  }

  /** base64url, 43 octets and a third longer than the text. `label` has to be the same for it to open. */
  seal(text: string, label: string): string {
    const salt = randomBytes(SALT_BYTES);
    const { key, iv } = derived(this.#keys[0] as Buffer, salt);
    const cipher = createCipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(label));
    return Buffer.concat([salt, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** `null` for whatever was not sealed exactly like this, by any of the secrets. */
  open(sealed: string, label: string): Opened | null {
    const octets = Buffer.from(sealed, 'base64url');
    // The decoder skips what it does not know, and several texts stand for the same octets.
    if (octets.length < SALT_BYTES + TAG_BYTES || octets.toString('base64url') !== sealed) return null;
    for (const [index, key] of this.#keys.entries()) {
      const text = openWith(key, octets, label);
      if (text !== null) return { text, isCurrent: index === 0 };
    }
    return null;
  }
}

function openWith(secret: Buffer, octets: Buffer, label: string): string | null {
  const { key, iv } = derived(secret, octets.subarray(0, SALT_BYTES));
  const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(label));
  decipher.setAuthTag(octets.subarray(-TAG_BYTES));
  const text = decipher.update(octets.subarray(SALT_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    // The tag is not that of this text.
    return null;
  }
}

function derived(secret: Buffer, salt: Uint8Array): { readonly key: Buffer; readonly iv: Buffer } {
  const octets = createHmac('sha512', secret).update(salt).digest();
  return { key: octets.subarray(0, KEY_BYTES), iv: octets.subarray(KEY_BYTES, KEY_BYTES + IV_BYTES) };
}
