import { purgeKeys } from '../cache/purge.ts';
import { badRequest, GatewayError } from '../errors.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import { getHeader } from '../http/headers.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';

/** What a request with the method PURGE is to do to what is stored for its URI, or why it may not. Case matters: methods have it. */
export function purgeMode(progress: Progress, allows: (address: string) => boolean): 'soft' | 'hard' | GatewayError {
  const { client, request } = progress.exchange;
  if (!allows(client.address)) {
    return new GatewayError('http_request_denied', { blame: 'client', status: 403, reason: 'purge-not-allowed' });
  }
  const mode = getHeader(request.headers, 'x-purge-mode')?.trim().toLowerCase() ?? 'soft';
  return mode === 'soft' || mode === 'hard' ? mode : badRequest('purge-mode-unknown');
}

/** Purges every variant of the request's URI, by whatever route it was stored, and says how many there were. */
export function purgeUri(parts: EngineParts, progress: Progress, mode: 'soft' | 'hard'): LocalReply {
  const { store, keys, tally } = progress.edition.snapshot.cache;
  const { scheme, authority } = progress.request;
  const { path, query } = progress;
  const all = keys.keysOf({ scheme, host: authority.toLowerCase(), path, query });
  const purged = purgeKeys(store, all, { hard: mode === 'hard', nowMs: parts.clock.now() });
  tally.purged('url', mode, purged);
  const body = Buffer.from(`${JSON.stringify({ kind: 'url', mode, purged })}\n`);
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.byteLength)];
  return { status: 200, headers, body, reason: 'purged', error: null };
}
