import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { LogLevel } from './log-level.ts';

/** A log that takes longer than this to be written out is not waited for. */
const FLUSH_MS = 2_000;

/**
 * Asynchronous line sink: lines are collected and written in the background, so a slow disk or terminal never holds
 * up a request. At most 1 MiB waits; lines beyond that are dropped.
 */
export interface LogSink extends DestinationStream {
  /** Writes out what can be written synchronously. pino's, for its fatal level. */
  flushSync(): void;
  /**
   * Resolves when all lines so far are in the file, also while it is still being opened or written to. For the end of the
   * process: after 2 s at most, whatever the disk or the reader of a pipe does. Never rejects.
   */
  flushed(): Promise<void>;
  /** Opens the file again after it was rotated (SIGUSR2). */
  reopen(): void;
}

/** A sink in the hands of who opened it. */
export interface ClosableLogSink extends LogSink {
  /**
   * Waits like `flushed`, then lets go of the file (never of standard output) and of the timer behind it. Lines after that are
   * dropped. Never rejects; closing twice is closing once.
   */
  close(): Promise<void>;
}

/** What a pipe takes whole whoever else writes to it (PIPE_BUF, pipe(7)). */
const WHOLE_BYTES = 4096;

/**
 * Opens standard output (`null`) or a file for appending, its directory included. Throws what the file system says. Where it is `shared` with
 * other processes, lines are written whole: up to 4 KiB into a pipe, of any length into a file.
 */
export function openLogSink(file: string | null, whose: 'own' | 'shared' = 'own'): ClosableLogSink {
  if (file !== null) refuseUnwritable(file);
  const stream = destination({
    dest: file ?? 1,
    append: true,
    mkdir: file !== null,
    sync: false,
    // Each write ends with a line.
    ...(whose === 'shared' ? { minLength: WHOLE_BYTES / 2, maxWrite: WHOLE_BYTES } : { minLength: 4096 }),
    maxLength: 1024 * 1024,
    // Without a periodic flush the last lines of a quiet gateway would wait for the next 4 KiB.
    periodicFlush: 250,
  });
  // A full disk or a closed pipe must not end the process: the gateway goes on without its log.
  stream.on('error', () => {});
  let closed = false;
  return {
    write: (line) => {
      // The stream throws at what comes after its end.
      if (!closed) stream.write(line);
    },
    flushSync: () => flushQuietly(stream),
    flushed: () => flushed(stream),
    reopen: () => {
      if (file !== null && !closed) stream.reopen();
    },
    close: async () => {
      await flushed(stream);
      if (closed) return;
      closed = true;
      stream.end();
    },
  };
}

/** The stream opens the file later, and then there is nobody to tell. */
function refuseUnwritable(file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  closeSync(openSync(file, 'a'));
}

/** The lines that wait are flushed behind a write that is under way, and what is too much for one write after it. */
function flushed(stream: ReturnType<typeof destination>): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, FLUSH_MS);
    const done = (): void => {
      clearTimeout(patience);
      flushQuietly(stream);
      resolve();
    };
    try {
      stream.flush(done);
    } catch {
      // The file could not be opened again after a rotation: there is nowhere to write to.
      done();
    }
  });
}

function flushQuietly(stream: ReturnType<typeof destination>): void {
  try {
    stream.flushSync();
  } catch {
    // The sink was never ready or its pipe is gone (EPIPE, EAGAIN): nobody is left to read these lines.
  }
}

/** The gateway's own log: starts, reloads, health changes, refusals, bugs. */
export function createLog(sink: LogSink, level: LogLevel, base: { readonly worker: number } | null = null): Logger {
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, sink);
}

export type { Logger, LogLevel };
