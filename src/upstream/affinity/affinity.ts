import type { HeaderList } from '../../http/headers.ts';
import { wasTried } from '../balance/balancer.ts';
import { type Endpoint, isHealthy } from '../endpoint.ts';

/** What is known when the head of a final response has come. */
export interface SessionAnswer {
  /** What `sessionOf` said of the request. */
  readonly session: string | null;
  /** Of the response, as the endpoint sent it. */
  readonly headers: HeaderList;
  /** The client came over TLS. */
  readonly overTls: boolean;
}

/** Which endpoint of one pool a session belongs to: made anew whenever the pool's members change. Hot, and never throws. */
export interface Affinity {
  /** What a request says of its session; `null` for nothing. Asked once an exchange. */
  sessionOf(headers: HeaderList): string | null;
  /**
   * The endpoint of a session, if it keeps sessions and was not tried yet; else `null`, and the balancer chooses. A forged, an
   * unknown and an old session is no session. `panicking`: the pool asks nobody for health.
   */
  pick(session: string, tried: readonly Endpoint[] | null, panicking: boolean): Endpoint | null;
  /** Whom `pick` would choose first. Unlike `pick`, it does not count as a use of the session. Not for the request path. */
  peek(session: string, panicking: boolean): Endpoint | null;
  /** `endpoint` has answered, and has the session from now on. The Set-Cookie that tells the client so, or `null` for none. */
  answered(endpoint: Endpoint, answer: SessionAnswer): string | null;
  /** Sessions at an endpoint; `null` where nobody counts them. Not for the request path. */
  sessionsAt(endpoint: Endpoint): number | null;
}

/**
 * Neither weight 0 nor draining ends a session: that is what these two are for. Only health, being disabled, and a failed attempt
 * of this exchange do.
 */
export function keepsSession(endpoint: Endpoint, tried: readonly Endpoint[] | null, panicking: boolean): boolean {
  const { live } = endpoint;
  if (live.standing === 'disabled' || wasTried(endpoint, tried)) return false;
  // When nearly everybody seems ill, the checks may be wrong: then sessions stay too, rather than be dealt out anew.
  return panicking ? !live.tripped : isHealthy(endpoint);
}
