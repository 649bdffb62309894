/** How many a client may have at once, and how many a second in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** What one HTTP/2 session may cost beyond its requests. Every bound that is passed ends the session with a GOAWAY. */
export interface Http2Profile {
  /** Streams that end by a reset which the client sent or provoked (CVE-2023-44487, CVE-2025-8671). */
  readonly resets: Rate;
  /** PING and SETTINGS frames, each of which wants an answer (CVE-2019-9512, CVE-2019-9515). */
  readonly questions: Rate;
  /** Bytes that belong to no request, body or window that ours would explain (see `Chatter`). */
  readonly chatterBytes: Rate;
  /** Concurrent streams, unless `limits.streams` says otherwise. */
  readonly streams: number;
  /** Malformed frames and heads that cost only their stream, and DATA without data, in the life of a session. */
  readonly invalidFrames: number;
}

/**
 * `edge` faces anybody. A page that is left resets what it still loads: 1000 are eight reloads with every stream in use at once
 * (`limits.streams` is 128), and nghttp2's and Go's own figure; 50 a second is a reload every three. Clients ask as
 * often as once a second (gRPC's keepalive, a probe of bandwidth by the round trip).
 *
 * `development` faces the browser of one person: a bundler's unbundled modules are thousands of streams, and a hot reload
 * resets hundreds of them, several times a second while a file is saved over and over. An attacker would still need the
 * hundred thousands at which the CVEs above begin to hurt.
 */
export const HTTP2_PROFILES: Readonly<Record<'edge' | 'development', Http2Profile>> = {
  edge: {
    resets: { burst: 1_000, perSecond: 50 },
    questions: { burst: 200, perSecond: 10 },
    chatterBytes: { burst: 128 * 1024, perSecond: 4 * 1024 },
    streams: 128,
    invalidFrames: 100,
  },
  development: {
    resets: { burst: 20_000, perSecond: 2_000 },
    questions: { burst: 2_000, perSecond: 100 },
    chatterBytes: { burst: 1024 * 1024, perSecond: 64 * 1024 },
    streams: 512,
    invalidFrames: 1_000,
  },
};

export type Http2ProfileName = keyof typeof HTTP2_PROFILES;
