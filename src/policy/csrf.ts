import { GatewayError } from '../errors.ts';
import type { RequestHead } from '../exchange/exchange.ts';
import { getCombined, type HeaderList, hasHeader } from '../http/headers.ts';
import { isSafe } from '../http/method.ts';
import type { AdmitPolicy, PolicyRequest } from './admit.ts';
import { type Compiled, compiled } from './compiled.ts';
import { compileOrigins, isOrigin, type OriginPattern, type OriginTest } from './origin-pattern.ts';
import { ownOrigin } from './own-origin.ts';

export interface CsrfConfig {
  readonly origins: readonly OriginPattern[];
  readonly sameSite: boolean;
  readonly requireOrigin: boolean;
  readonly dryRun: boolean;
}

interface Plan extends Omit<CsrfConfig, 'origins'> {
  readonly allows: OriginTest;
}

/**
 * Refuses what another site makes a browser do here in its user's name: requests that may change something, and WebSockets. Browsers
 * say where a request comes from in `Sec-Fetch-Site` (Fetch Metadata), else in `Origin` or `Referer`; no page can forge those. Who says nothing at
 * all is no browser, and carries nobody's cookies without knowing.
 */
export function compileCsrf({ origins, ...rest }: CsrfConfig): Compiled<AdmitPolicy<'csrf'>> {
  const tests = compileOrigins(origins);
  if (!tests.ok) {
    const problems = tests.problems.map(({ path, message }) => ({ path: ['origins', ...path], message }));
    return { ...tests, problems };
  }
  const plan: Plan = { ...rest, allows: tests.value };
  return compiled({
    phase: 'csrf',
    policy: 'csrf',
    admit: (request) => {
      if (isHarmless(request.request) || isOwn(plan, request)) return null;
      if (plan.dryRun) {
        request.note('cross-origin-request');
        return null;
      }
      return { kind: 'refuse', error: crossOrigin() };
    },
  });
}

function crossOrigin(): GatewayError {
  const reason = 'cross-origin-request';
  return new GatewayError('http_request_denied', { blame: 'client', status: 403, reason });
}

/** A WebSocket is begun by GET, and no other site is kept from that by CORS. Over HTTP/2 it has no `Upgrade` (RFC 8441 §5). */
function isHarmless({ method, headers }: RequestHead): boolean {
  if (!isSafe(method)) return false;
  return method !== 'GET' || (!hasHeader(headers, 'upgrade') && !hasHeader(headers, 'sec-websocket-version'));
}

function isOwn(plan: Plan, { request, client }: PolicyRequest): boolean {
  const { headers } = request;
  const site = getCombined(headers, 'sec-fetch-site');
  if (site === 'same-origin' || site === 'none' || (site === 'same-site' && plan.sameSite)) return true;
  const origin = getCombined(headers, 'origin') ?? originOfReferer(headers);
  if (origin === null) return site === null && !plan.requireOrigin;
  if (plan.allows(origin)) return true;
  // What the browser says is from elsewhere is from elsewhere, whatever Host says.
  return site === null && origin === ownOrigin(request, client);
}

/** `null` for none; '' for one that names no origin. */
function originOfReferer(headers: HeaderList): string | null {
  const referer = getCombined(headers, 'referer');
  if (referer === null) return null;
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/.exec(referer)?.[0] ?? '';
  return isOrigin(origin) ? origin : '';
}
