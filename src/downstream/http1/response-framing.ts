import type { HeaderList } from '../../http/headers.ts';

/** A head's fields, ready for Node, and the length they announce. */
export interface Framed {
  readonly headers: HeaderList;
  /** -1 when there is no Content-Length. */
  readonly contentLength: number;
}

export interface Framing {
  readonly status: number;
  /** No chunked coding will be used: HEAD, a status without content, or an HTTP/1.0 client. */
  readonly unchunked: boolean;
}

/**
 * Finds the announced length and takes out what Node's ServerResponse trips over. Hot: one pass, a copy only if needed.
 *
 * - `Connection`, `Keep-Alive` and `Transfer-Encoding` are this side's own: Node would believe them over what we told it.
 * - `Trailer` on a response that is not chunked makes Node throw; no trailer will be sent then either (RFC 9110 §6.5).
 * - `Content-Length` of a 204 must not be sent (RFC 9110 §8.6).
 * - After a Content-Length, Node re-encodes Content-Disposition from latin1 to UTF-8 and so changes its bytes: the length
 *   is moved behind it.
 */
export function frame(headers: HeaderList, framing: Framing): Framed {
  let lengthAt = -1;
  let dispositionAt = -1;
  let trailer = false;
  let hop = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    switch (name.length) {
      case 7:
        if (name.toLowerCase() === 'trailer') trailer = true;
        break;
      case 10:
      case 17:
        if (isOwnFraming(name.toLowerCase())) hop = true;
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') lengthAt = i;
        break;
      case 19:
        if (name.toLowerCase() === 'content-disposition') dispositionAt = i;
    }
  }
  const contentLength = lengthAt === -1 ? -1 : lengthOf(headers[lengthAt + 1] as string);
  const plan: Rebuild = {
    dropTrailer: trailer && (framing.unchunked || lengthAt !== -1),
    dropLength: lengthAt !== -1 && framing.status === 204,
    moveLength: dispositionAt > lengthAt && lengthAt !== -1,
  };
  if (!hop && !plan.dropTrailer && !plan.dropLength && !plan.moveLength) return { headers, contentLength };
  return { headers: rebuilt(headers, plan), contentLength };
}

interface Rebuild {
  readonly dropTrailer: boolean;
  readonly dropLength: boolean;
  readonly moveLength: boolean;
}

function rebuilt(headers: HeaderList, plan: Rebuild): HeaderList {
  const kept: string[] = [];
  const last: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const lower = name.toLowerCase();
    const isLength = lower === 'content-length';
    if (isOwnFraming(lower) || (plan.dropTrailer && lower === 'trailer') || (plan.dropLength && isLength)) continue;
    const into = plan.moveLength && isLength ? last : kept;
    into.push(name, headers[i + 1] as string);
  }
  return kept.concat(last);
}

function isOwnFraming(lower: string): boolean {
  return lower === 'connection' || lower === 'keep-alive' || lower === 'transfer-encoding';
}

/** What a Content-Length announces, or -1 when it announces nothing that can be counted. */
export function lengthOf(text: string): number {
  const length = Number(text);
  return Number.isSafeInteger(length) && length >= 0 ? length : -1;
}
