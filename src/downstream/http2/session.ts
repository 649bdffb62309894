import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { ListenerLimits } from '../options.ts';
import type { Http2Profile } from './profile.ts';
import { STREAM_WINDOW_BYTES } from './upload-window.ts';

/**
 * An HTTP/2 session of Node's core API on an accepted connection, whose client has yet to send its preface.
 *
 * What one session makes us hold: 5 MiB of request bodies (`UploadWindow`); of each of its `limits.streams` streams the piece
 * of a response that its client does not take, at most 64 KiB in Node and as much on its way from the endpoint, and a head of
 * `limits.headerBytes`; two HPACK tables of 4 KiB; one header block of 9 frames of 16 KiB at most, decoded to no more than
 * `maxHeaderListSize`. With the defaults 5 + 128 × 0.14 + 0.2 = 23 MiB for somebody who uses all of it at once and reads
 * nothing, which the stall of each stream ends after a minute.
 */
export function openSession(socket: Socket, limits: ListenerLimits, profile: Http2Profile): ServerHttp2Session {
  // Half-open is for HTTP/1.x: Node's session waits for its socket to close, and after a FIN alone it would wait for ever.
  socket.allowHalfOpen = false;
  return performServerHandshake(socket, {
    settings: {
      enableConnectProtocol: true,
      maxConcurrentStreams: limits.streams,
      initialWindowSize: STREAM_WINDOW_BYTES,
      // Beyond our own limits by a margin, so that what is a little too large is answered by 431, not by a reset.
      maxHeaderListSize: 4 * limits.headerBytes,
    },
    maxHeaderListPairs: 2 * limits.headerCount + 8,
    maxDeflateDynamicTableSize: 4096,
    maxSessionInvalidFrames: profile.invalidFrames,
    // Streams opened beyond `limits.streams`. Node counts those that were reset within the same read as still there, so that
    // a client at its limit which cancels and asks anew may meet this through no fault of its own.
    maxSessionRejectedStreams: profile.resets.burst,
    maxSettings: 32,
    maxOutstandingPings: 10,
    // For what comes in one read, before we get to count: our own count says ENHANCE_YOUR_CALM, and a reason.
    streamResetBurst: 2 * profile.resets.burst,
    streamResetRate: profile.resets.perSecond,
    // A repeated field is the endpoint's and the client's business: passed on as it is.
    strictSingleValueFields: false,
  });
}
