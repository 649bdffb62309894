import { isUtf8 } from 'node:buffer';

const strict = new TextDecoder('utf-8', { fatal: true });
const lenient = new TextDecoder();

/** UTF-8 without its byte order mark (RFC 8259 §8.1); `null` for bytes that are none. */
export function strictText(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    // TypeError: not UTF-8, as UTF-16 hardly ever is.
    return null;
  }
}

/** As browsers read forms: what is no UTF-8 becomes U+FFFD. */
export function lenientText(bytes: Uint8Array): string {
  return lenient.decode(bytes);
}

/**
 * Text whose escapes (RFC 3986 §2.1) are UTF-8; `null` where one is malformed, or they are none. Does not throw on the way, as `decodeURIComponent`
 * does: a form may have one mistake in every four bytes.
 */
export function percentDecoded(text: string): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  const octets = Buffer.from(text)
    .toString('latin1')
    .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const bytes = Buffer.from(octets, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : null;
}

/** Encodings by the names that documents give them. UTF-16 is told by its byte order mark alone. */
const ENCODINGS: ReadonlyMap<string, 'utf-8' | 'windows-1252'> = new Map([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['iso-8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
]);

/**
 * An XML document, or its beginning, which may end within a character. The encoding is that of the byte order mark, else of `charset`, else of
 * its own declaration, else UTF-8 (RFC 7303 §3). `null` for another encoding, and for bytes that are none of it.
 */
export function xmlText(bytes: Uint8Array, charset: string | null): string | null {
  const encoding = markedEncoding(bytes) ?? namedEncoding(charset ?? declaredEncoding(bytes) ?? 'utf-8');
  if (encoding === null) return null;
  try {
    // A decoder of its own: one that is told that more will come keeps what is left over.
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    // TypeError: bytes that are none of the encoding.
    return null;
  }
}

function markedEncoding(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8' : null;
}

function namedEncoding(name: string): 'utf-8' | 'windows-1252' | null {
  return ENCODINGS.get(name.toLowerCase()) ?? null;
}

/** Its name is ASCII in each of the encodings that are known here. */
function declaredEncoding(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 200)).toString('latin1');
  return (
    /^<\?xml[ \t\r\n][^>]*?[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([A-Za-z0-9._-]+)["']/.exec(head)?.[1] ?? null
  );
}
