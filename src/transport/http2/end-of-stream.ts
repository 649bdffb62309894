import type { ClientHttp2Stream } from 'node:http2';

/**
 * Calls back when END_STREAM is seen. Node ends the readable side of a stream that was reset with NO_ERROR as if all had come,
 * but only after it has marked it closed; a real END_STREAM is pushed before that, even while nobody reads.
 */
export function onEndOfStream(stream: ClientHttp2Stream, ended: () => void): void {
  const { push } = stream;
  const pushing = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null && !stream.closed) ended();
    return push.call(stream, chunk, encoding);
  };
  stream.push = pushing;
}
