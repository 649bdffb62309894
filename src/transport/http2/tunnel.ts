import { createHash } from 'node:crypto';
import { type ClientHttp2Stream, constants } from 'node:http2';
import type { Attempt } from '../../exchange/attempt.ts';
import type { ByteChannel } from '../../exchange/body.ts';
import type { ResponseHead } from '../../exchange/response-sink.ts';
import { getHeader, type HeaderList } from '../../http/headers.ts';
import { duplexChannel } from '../socket-channel.ts';
import { onEndOfStream } from './end-of-stream.ts';

/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The answer to an extended CONNECT as the HTTP/1.1 handshake has it (RFC 8441 §5): 101, and what proves to a WebSocket client
 * that its key was seen.
 */
export function switchHead(attempt: Attempt, headers: HeaderList): ResponseHead {
  const key = getHeader(attempt.headers, 'sec-websocket-key');
  if (key === null) return { status: 101, headers };
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  return { status: 101, headers: headers.concat('Sec-WebSocket-Accept', accept) };
}

/** The two directions of an accepted extended CONNECT. */
export function streamChannel(stream: ClientHttp2Stream): ByteChannel {
  let ended = false;
  onEndOfStream(stream, () => {
    ended = true;
  });
  return duplexChannel(stream, {
    brokenOff: 'tunnel-closed',
    isCleanEnd: () => ended,
    reset: () => {
      if (!stream.closed && !stream.destroyed) stream.close(constants.NGHTTP2_CANCEL);
      stream.resume();
    },
  });
}
