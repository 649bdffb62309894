import type { Scheme } from '../exchange/exchange.ts';
import { type HeaderDraft, isNamed } from '../http/headers.ts';
import type { RewriteConfig } from './rewrite.ts';
import { canonicalPrefix, isUnder } from './upstream-path.ts';

/** Both sides of the exchange whose response is looked at. */
export interface LocationContext {
  readonly upstreamScheme: Scheme;
  /** `host:port` of the endpoint. */
  readonly endpointAuthority: string;
  /** `Host` as the endpoint got it: how it calls itself when the client's was preserved. */
  readonly sentAuthority: string;
  readonly clientScheme: Scheme;
  /** As the client sent it; empty when it sent none. */
  readonly clientAuthority: string;
  /** Canonical path of the request before the rewrite. */
  readonly path: string;
}

/** Rewrites `Location` and `Content-Location` in place. */
export type LocationRewrite = (draft: HeaderDraft, context: LocationContext) => void;

export interface LocationOptions {
  readonly rewrite: RewriteConfig | null;
  /** The path prefix that the route matches, or `null`. */
  readonly matchedPrefix: string | null;
}

/** A prefix that the request lost on its way in and that a path gets back on its way out. */
interface Swap {
  /** What clients call it; "" is the root. */
  readonly outside: string;
  /** What endpoints call it; "" is the root. */
  readonly inside: string;
}

/**
 * Maps what an endpoint says of its own whereabouts back to what the client can reach: a URL at the endpoint's own origin
 * gets the client's scheme and authority, and its path, like a path-absolute reference, gets back the prefix which the
 * rewrite took. Everything else stays: other origins, relative references, and paths that have the prefix already because
 * the application knows where it is mounted. A rewrite by `path` or `regex` can't be undone; only the origin is mapped.
 */
export function compileLocationRewrite(options: LocationOptions): LocationRewrite {
  const swap = swapOf(options);
  return (draft, context) => {
    for (let i = 0; i < draft.length; i += 2) {
      const name = draft[i] as string;
      if (!isNamed(name, 'location') && !isNamed(name, 'content-location')) continue;
      draft[i + 1] = mapped(draft[i + 1] as string, context, swap);
    }
  };
}

function swapOf({ rewrite, matchedPrefix }: LocationOptions): Swap | null {
  if (rewrite === null) return null;
  if ('stripPrefix' in rewrite) return { outside: canonicalPrefix(rewrite.stripPrefix) ?? '', inside: '' };
  if (!('prefix' in rewrite) || matchedPrefix === null) return null;
  return { outside: canonicalPrefix(matchedPrefix) ?? '', inside: canonicalPrefix(rewrite.prefix) ?? '' };
}

function mapped(reference: string, context: LocationContext, swap: Swap | null): string {
  if (reference.startsWith('/') && !reference.startsWith('//')) return swapped(reference, context, swap);
  // The scheme of a scheme-relative reference is the one its writer was asked by.
  const start = reference.startsWith('//') ? 2 : schemeLength(reference);
  if (start === 0) return reference;
  const scheme = start === 2 ? context.upstreamScheme : reference.slice(0, start - 3).toLowerCase();
  const end = authorityEnd(reference, start);
  if (!isOwn(reference.slice(start, end), scheme, context)) return reference;
  const rest = reference.slice(end);
  const path = swapped(rest.startsWith('/') ? rest : `/${rest}`, context, swap);
  if (context.clientAuthority === '') return sameSite(path);
  return `${context.clientScheme}://${context.clientAuthority}${path}`;
}

/** Length of `http://` or `https://` at the start, in any case, else 0. */
function schemeLength(reference: string): number {
  const start = reference.slice(0, 8).toLowerCase();
  if (start === 'https://') return 8;
  return start.startsWith('http://') ? 7 : 0;
}

/** A browser ends the authority at a backslash too (WHATWG URL §4.4); what it takes for foreign must stay foreign. */
function authorityEnd(reference: string, start: number): number {
  for (let i = start; i < reference.length; i += 1) {
    const character = reference[i];
    if (character === '/' || character === '?' || character === '#' || character === '\\') return i;
  }
  return reference.length;
}

/**
 * Is this the endpoint, as it is called, as it was called in `Host`, or as the client calls it (an application that builds
 * URLs from `X-Forwarded-Host` and `-Proto`, but knows of no prefix)?
 */
function isOwn(authority: string, scheme: string, context: LocationContext): boolean {
  if (authority === '') return false;
  const plain = withoutDefaultPort(authority, scheme);
  if (scheme === context.clientScheme && plain === withoutDefaultPort(context.clientAuthority, scheme)) return true;
  if (scheme !== context.upstreamScheme) return false;
  return (
    plain === withoutDefaultPort(context.endpointAuthority, scheme) ||
    plain === withoutDefaultPort(context.sentAuthority, scheme)
  );
}

function withoutDefaultPort(authority: string, scheme: string): string {
  const lower = authority.toLowerCase();
  const port = scheme === 'https' ? ':443' : ':80';
  // "[::80]" ends in a bracket, so a port is a port.
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

/** A path-absolute reference with its prefix put back. */
function swapped(reference: string, context: LocationContext, swap: Swap | null): string {
  if (swap === null || !isUnder(context.path, swap.outside)) return reference;
  const { inside, outside } = swap;
  const end = pathEnd(reference);
  const path = reference.slice(0, end);
  if (inside === '' && isUnder(path, outside)) return reference;
  if (!isUnder(path, inside)) return reference;
  const swappedPath = outside + path.slice(inside.length);
  return sameSite(swappedPath) + reference.slice(end);
}

/** `path` with one "/" at its start: two, or a backslash, would be another host to a browser (WHATWG URL §4.4). */
function sameSite(path: string): string {
  return path.replace(/^[/\\]*/, '/');
}

function pathEnd(reference: string): number {
  for (let i = 0; i < reference.length; i += 1) {
    if (reference[i] === '?' || reference[i] === '#') return i;
  }
  return reference.length;
}
