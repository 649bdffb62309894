import { type HeaderList, isNamed } from '../http/headers.ts';

/**
 * Field lines for a request whose body has `length` bytes, or is chunked when `null`: exactly the one `Content-Length` that
 * is true, or none. Returns `headers` itself when that is what they say already, as they do for a request passed on.
 */
export function framedHeaders(headers: HeaderList, length: number | null): HeaderList {
  const announced = length === null ? null : String(length);
  let found = 0;
  let right = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, 'content-length')) continue;
    found += 1;
    if (headers[i + 1] === announced) right += 1;
  }
  if (found === (announced === null ? 0 : 1) && right === found) return headers;
  const framed: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, 'content-length')) framed.push(headers[i] as string, headers[i + 1] as string);
  }
  if (announced !== null) framed.push('Content-Length', announced);
  return framed;
}
