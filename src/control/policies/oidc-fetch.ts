import type { CustomFetch } from 'openid-client';
import type { HttpClient } from '../http-client.ts';

/** Metadata and keys of the largest providers have 30 KiB. */
const LIMIT_BYTES = 512 * 1024;
/** A login and its key set are one conversation. */
const KEEP_ALIVE_MS = 10_000;
/** After a night, everybody logs in at nine. */
const MAX_CONNECTIONS = 16;
/** Without a body, whatever was sent (Fetch §2.2.3). */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * What `openid-client` sends its requests by: over our own transport, with its trust in certificates, its timeouts and its bounds. Redirects are not
 * followed. Rejects with a `GatewayError` as `http` does.
 */
export function providerFetch(
  http: HttpClient,
  options: { readonly ca: string | null; readonly timeoutMs: number },
): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const answer = await http({
      method,
      url,
      // Ours is the gateway's, whichever library asks.
      headers: Object.entries(headers).flatMap(([name, value]) =>
        name.toLowerCase() === 'user-agent' ? [] : [name, value],
      ),
      body: body === undefined || body === null ? null : octetsOf(body),
      ca: options.ca,
      timeoutMs: options.timeoutMs,
      limitBytes: LIMIT_BYTES,
      keepAliveMs: KEEP_ALIVE_MS,
      maxConnections: MAX_CONNECTIONS,
      ...(signal === undefined ? {} : { signal }),
    });
    const fields = new Headers();
    for (let i = 0; i < answer.headers.length; i += 2) {
      fields.append(answer.headers[i] as string, answer.headers[i + 1] as string);
    }
    const { status } = answer;
    return new Response(BODILESS.has(status) ? null : Buffer.from(answer.body), { status, headers: fields });
  };
}

/** The library sends forms. */
function octetsOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(String(body));
  throw new TypeError('Cannot send a body that is not text');
}
