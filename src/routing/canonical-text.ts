import { canonicalizeTarget, type PathPolicy } from '../http/target.ts';

/** Of all path policies, the one that leaves most paths as they are: what it changes is canonical under none. */
const LENIENT: PathPolicy = {
  dotSegments: 'resolve',
  duplicateSlashes: 'keep',
  encodedSlash: 'keep',
  backslash: 'keep',
};

/**
 * Why a request can't have the configured `path`, or one below it, whatever the listener's path policy; `null` if it can. Captures
 * and `**` are as good as any text here. Such a rule would silently never match; the message says how to write it.
 */
export function canonicalProblem(path: string): string | null {
  const cut = /[?#]/.exec(path);
  if (cut !== null) return `path "${path}" has a "${cut[0]}": conditions on the query stand under "query"`;
  const result = canonicalizeTarget(escapeInvisible(path), LENIENT);
  if (!result.ok) return `path "${path}" is refused in every request (${result.reason})`;
  return result.path === path ? null : `path "${path}" is compared in canonical form: write "${result.path}"`;
}

/** Spaces, controls and everything beyond ASCII as UTF-8 escapes (RFC 3986 §2.1): so a client has to send them. */
function escapeInvisible(text: string): string {
  return text.replace(/[^\x21-\x7e]+/gu, (run) =>
    [...new TextEncoder().encode(run)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
