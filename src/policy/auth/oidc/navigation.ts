import { getHeader, type HeaderList, hasHeader } from '../../../http/headers.ts';

const LONGEST_RETURN = 2_048;

/**
 * Somebody looks at what comes back: only then it makes sense to go to a login. What a script fetches would follow the redirect to a provider that
 * does not allow it, and a prefetch would begin a login that nobody wants.
 */
export function isNavigation({ method, headers }: { readonly method: string; readonly headers: HeaderList }): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (hasHeader(headers, 'upgrade') || isPrefetch(headers)) return false;
  const mode = getHeader(headers, 'sec-fetch-mode');
  if (mode !== null && mode !== 'navigate') return false;
  return /(?:^|[\s,])text\/html(?:$|[\s,;])/i.test(getHeader(headers, 'accept') ?? '');
}

/** A page of this very origin made the browser ask, which `GET` alone does not say. */
export function isOwnDoing(
  { method, headers }: { readonly method: string; readonly headers: HeaderList },
  origin: string,
) {
  if (isPrefetch(headers)) return false;
  const site = getHeader(headers, 'sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  // Browsers from before 2023 send `Origin` with every POST.
  return method === 'POST' && getHeader(headers, 'origin') === origin;
}

function isPrefetch(headers: HeaderList): boolean {
  return /prefetch/i.test(getHeader(headers, 'sec-purpose') ?? getHeader(headers, 'purpose') ?? '');
}

/**
 * Where to go after the login: a path of this origin as browsers understand it, never another host's (`//evil`, `/\evil`), no end of a
 * field, and at most 2048 octets, else without its query, else `/`.
 */
export function returnTarget(path: string, query: string | null): string {
  const whole = query === null ? path : `${path}?${query}`;
  if (isOwnTarget(whole)) return whole;
  return isOwnTarget(path) ? path : '/';
}

/** See `returnTarget`. */
export function isOwnTarget(target: string): boolean {
  return target.length <= LONGEST_RETURN && /^\/(?![/\\])[\x21-\x7e]*$/.test(target);
}
