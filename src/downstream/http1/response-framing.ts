import type { HeaderList } from '../../http/headers.ts';

/** A head's fields, ready for Node, and the length they announce. */
export interface Framed {
  readonly headers: HeaderList;
  /** -1 when there is no Content-Length. */
  readonly contentLength: number;
}

/**
 * Finds the announced length and takes out what Node's ServerResponse trips over. Hot: one pass, a copy only if needed.
 *
 * - `Trailer` on a response that is not chunked (`unchunked`, or with a length) makes Node throw: dropped, as no trailer
 *   will be sent then either (RFC 9110 §6.5).
 * - After a Content-Length, Node re-encodes Content-Disposition from latin1 to UTF-8 and so changes its bytes: the length
 *   is moved behind it.
 */
export function frame(headers: HeaderList, unchunked: boolean): Framed {
  let lengthAt = -1;
  let trailerAt = -1;
  let dispositionAt = -1;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    switch (name.length) {
      case 7:
        if (name.toLowerCase() === 'trailer') trailerAt = i;
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') lengthAt = i;
        break;
      case 19:
        if (name.toLowerCase() === 'content-disposition') dispositionAt = i;
    }
  }
  const contentLength = lengthAt === -1 ? -1 : lengthOf(headers[lengthAt + 1] as string);
  const dropTrailer = trailerAt !== -1 && (unchunked || lengthAt !== -1);
  const moveLength = lengthAt !== -1 && dispositionAt > lengthAt;
  if (!dropTrailer && !moveLength) return { headers, contentLength };
  return { headers: rebuilt(headers, dropTrailer, moveLength), contentLength };
}

function rebuilt(headers: HeaderList, dropTrailer: boolean, moveLength: boolean): HeaderList {
  const kept: string[] = [];
  const last: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const lower = name.toLowerCase();
    if (dropTrailer && lower === 'trailer') continue;
    const into = moveLength && lower === 'content-length' ? last : kept;
    into.push(name, headers[i + 1] as string);
  }
  return kept.concat(last);
}

function lengthOf(text: string): number {
  const length = Number(text);
  return Number.isSafeInteger(length) && length >= 0 ? length : -1;
}

/** A 204 must not announce a body (RFC 9110 §8.6). */
export function withoutBodyFields(headers: HeaderList): HeaderList {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length === 14 && name.toLowerCase() === 'content-length') continue;
    kept.push(name, headers[i + 1] as string);
  }
  return kept;
}
