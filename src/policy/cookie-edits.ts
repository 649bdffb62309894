import { type CookieEdits, editSetCookie } from '../http/cookie.ts';
import { type HeaderDraft, isNamed } from '../http/headers.ts';
import { type Compiled, compiled, compiledUnless, type PolicyProblem } from './compiled.ts';

/** The same shape as `cookies` of the configuration. */
export type CookieEditsConfig = CookieEdits;

/** Edits every Set-Cookie of a response in place, each line for itself. */
export type SetCookieEdits = (draft: HeaderDraft) => void;

/** Compiles edits of the cookies that endpoints set; `null` when there are none. */
export function compileCookieEdits(config: CookieEditsConfig): Compiled<SetCookieEdits | null> {
  const edits = Object.values(config).filter((value) => value !== undefined);
  if (edits.length === 0) return compiled(null);
  return compiledUnless<SetCookieEdits | null>(cookieProblems(config), () => (draft) => {
    for (let i = 0; i < draft.length; i += 2) {
      if (isNamed(draft[i] as string, 'set-cookie')) draft[i + 1] = editSetCookie(draft[i + 1] as string, config);
    }
  });
}

function cookieProblems(config: CookieEditsConfig): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const { domain, path } = config;
  if (typeof domain === 'string' && !/^\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(domain)) {
    problems.push({ path: ['domain'], message: `"${domain}" is not a cookie domain: give a host name without a port` });
  }
  if (typeof path === 'string') checkPath(path, ['path'], problems);
  else if (path !== undefined) {
    checkPath(path.from, ['path', 'from'], problems);
    checkPath(path.to, ['path', 'to'], problems);
  }
  if (config.sameSite === 'none' && config.secure === false) {
    // draft-ietf-httpbis-rfc6265bis §5.7: the whole cookie is ignored then.
    problems.push({ path: ['sameSite'], message: 'browsers drop a SameSite=None cookie that is not secure' });
  }
  return problems;
}

/** A `path-value` (RFC 6265 §4.1.1) that browsers take: they replace one without "/" at its start by their own. */
function checkPath(path: string, at: readonly string[], problems: PolicyProblem[]): void {
  if (/^\/[^;\0-\x1f\x7f-\uffff]*$/.test(path)) return;
  problems.push({ path: at, message: `"${path}" is not a cookie path: it starts with "/" and has no ";"` });
}
