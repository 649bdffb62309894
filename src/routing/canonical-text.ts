/**
 * Why `text`, part of a configured path, can't occur in any canonical path whatever the listener's path policy
 * (`http/target.ts`), or `null`. Such a rule would silently never match; the message says how to write it.
 */
export function canonicalProblem(text: string): string | null {
  const cut = /[?#]/.exec(text);
  if (cut !== null) return `path "${text}" has a "${cut[0]}": conditions on the query stand under "query"`;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return `path "${text}" has a "%" that starts no escape: write "%25"`;
  if (/%(?:[01][0-9A-Fa-f]|7[Ff])/.test(text))
    return `path "${text}" has an escaped control character, which is refused`;
  const canonical = escapeInvisible(text).replace(/%[0-9A-Fa-f]{2}/g, canonicalEscape);
  if (/(?:^|\/)\.{1,2}(?:\/|$)/.test(canonical)) return `path "${text}" has a dot segment, which no canonical path has`;
  return canonical === text ? null : `path "${text}" is compared in canonical form: write "${canonical}"`;
}

/** Spaces, controls and everything beyond ASCII as UTF-8 escapes (RFC 3986 §2.1): so a client has to send them. */
function escapeInvisible(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, (run) =>
    [...new TextEncoder().encode(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Escapes of unreserved characters are decoded, others have upper-case digits (RFC 3986 §6.2.2). */
function canonicalEscape(triplet: string): string {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
  return /[A-Za-z0-9._~-]/.test(character) ? character : triplet.toUpperCase();
}
