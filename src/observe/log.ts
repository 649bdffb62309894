import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { LogLevel } from './log-level.ts';

/** A log that takes longer than this to be written out is not waited for. */
const FLUSH_MS = 2_000;
/** Otherwise the last lines of a quiet gateway would wait for the next 32 KiB. */
const FLUSH_EVERY_MS = 250;

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

/** Hears what becomes of the lines of a sink. Must not throw. */
export interface LogSinkWatcher {
  /** A line more that nobody will read. */
  dropped(): void;
  /** The first since all was well: `full` when lines come faster than they are taken, or what the system says (`ENOSPC`, `EPIPE`). */
  inTrouble(why: string): void;
  /** Everything that waited is written again; `dropped` lines are lost. */
  well(dropped: number): void;
}

/** What a pipe takes whole whoever else writes to it (PIPE_BUF, pipe(7)). */
const WHOLE_BYTES = 4096;

/** A write is for at least `least` bytes, unless somebody wants what there is, and for at most `most`, unless a single line is longer. */
/** A write is a trip to another thread and back: 32 KiB of lines at a time take 1 µs a request less than 4 KiB (of 34, proxied). */
const OWN_WRITES = { least: 32 * 1024, most: 64 * 1024 };
const SHARED_WRITES = { least: WHOLE_BYTES / 2, most: WHOLE_BYTES };

/**
 * Opens standard output (`null`) or a file for appending, its directory included. Throws what the file system says. Where it is `shared` with
 * other processes, lines are written whole: up to 4 KiB into a pipe, of any length into a file.
 */
export function openLogSink(
  file: string | null,
  whose: 'own' | 'shared' = 'own',
  watcher: LogSinkWatcher | null = null,
): ClosableLogSink {
  if (file !== null) refuseUnwritable(file);
  const writes = whose === 'shared' ? SHARED_WRITES : OWN_WRITES;
  const stream = destination({
    dest: file ?? 1,
    append: true,
    mkdir: file !== null,
    sync: false,
    // Each write ends with a line.
    minLength: writes.least,
    maxWrite: writes.most,
    maxLength: 1024 * 1024,
  });
  const state = watch(stream, watcher);
  const gathered = new GatheredLines(stream, writes);
  const flushing = setInterval(() => flushSoon(stream), FLUSH_EVERY_MS).unref();
  let closed = false;
  const reopen = file === null ? null : oneAtATime(stream, () => closed);
  return {
    write: (line) => {
      // The stream throws at what comes after its end.
      if (closed) return;
      const bytes = Buffer.byteLength(line);
      state.waiting += bytes;
      gathered.add(line, bytes);
    },
    flushSync: () => flushQuietly(stream, state),
    flushed: () => flushed(stream, state),
    reopen: () => reopen?.(),
    close: async () => {
      await flushed(stream, state);
      if (closed) return;
      closed = true;
      clearInterval(flushing);
      // What can't be written by now would be tried for ever.
      if (state.waiting > 0) stream.destroy();
      else stream.end();
    },
  };
}

/**
 * Lines on their way to the stream, handed over as many as make a write: it makes one flat text of all that waits with each piece that
 * it gets, to count its bytes, which was 7 of 23 KB that were allocated for a request.
 */
class GatheredLines {
  readonly #stream: ReturnType<typeof destination>;
  readonly #writes: typeof OWN_WRITES;
  #text = '';
  #bytes = 0;

  constructor(stream: ReturnType<typeof destination>, writes: typeof OWN_WRITES) {
    this.#stream = stream;
    this.#writes = writes;
    // Whoever flushes the stream flushes what is here; so does pino when the process exits.
    const { flush, flushSync } = stream;
    const flushAll: typeof flush = (done) => {
      this.give();
      flush.call(stream, done);
    };
    const flushAllSync = (): void => {
      this.give();
      flushSync.call(stream);
    };
    Object.assign(stream, { flush: flushAll, flushSync: flushAllSync });
  }

  add(line: string, bytes: number): void {
    if (this.#bytes + bytes > this.#writes.most) this.give();
    this.#text += line;
    this.#bytes += bytes;
    if (this.#bytes >= this.#writes.least) this.give();
  }

  /** Less than a write is handed over too. Throws what the stream throws when it is destroyed. */
  give(): void {
    if (this.#bytes === 0) return;
    const text = this.#text;
    this.#text = '';
    this.#bytes = 0;
    this.#stream.write(text);
  }
}

/**
 * Opens the file again, and once more if it is asked to while the file is being opened. SonicBoom, asked twice, takes the second for done with the
 * first: lines are written twice, and it throws where nobody catches when it was destroyed meanwhile.
 */
function oneAtATime(stream: ReturnType<typeof destination>, isClosed: () => boolean): () => void {
  let isOpening = true;
  let again = false;
  const open = (): void => {
    if (isClosed()) return;
    isOpening = true;
    stream.reopen();
  };
  const opened = (): void => {
    isOpening = false;
    if (!again) return;
    again = false;
    // Not within its own event: what it does after that is about the file that it has just opened.
    setImmediate(open);
  };
  stream.on('ready', opened);
  stream.on('error', opened);
  return () => {
    if (isOpening) again = true;
    else open();
  };
}

interface SinkState {
  /** Bytes that were taken and are not written. */
  waiting: number;
  inTrouble: boolean;
}

/** Trouble begins with the first line or write that fails, and ends when nothing waits any more. */
function watch(stream: ReturnType<typeof destination>, watcher: LogSinkWatcher | null): SinkState {
  const state: SinkState = { waiting: 0, inTrouble: false };
  let dropped = 0;
  const begin = (why: string): void => {
    if (state.inTrouble) return;
    state.inTrouble = true;
    watcher?.inTrouble(why);
  };
  stream.on('write', (bytes: number) => {
    state.waiting -= bytes;
  });
  stream.on('drop', (lines: string) => {
    state.waiting -= Buffer.byteLength(lines);
    for (let end = lines.indexOf('\n'); end !== -1; end = lines.indexOf('\n', end + 1)) {
      dropped += 1;
      watcher?.dropped();
    }
    begin('full');
  });
  // A full disk or a closed pipe must not end the process: the gateway goes on without its log.
  stream.on('error', (error: NodeJS.ErrnoException) => begin(error.code ?? 'unknown'));
  stream.on('drain', () => {
    if (!state.inTrouble) return;
    const lost = dropped;
    state.inTrouble = false;
    dropped = 0;
    watcher?.well(lost);
  });
  return state;
}

/** The stream opens the file later, and then there is nobody to tell. */
function refuseUnwritable(file: string): void {
  makeDirectory(dirname(file));
  closeSync(openSync(file, 'a'));
}

/** Node's own `recursive` never comes back where a directory that exists takes no others, as below /proc (26.10). */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The lines that wait are flushed behind a write that is under way, and what is too much for one write after it. */
function flushed(stream: ReturnType<typeof destination>, state: SinkState): Promise<void> {
  return new Promise((resolve) => {
    let over = false;
    const done = (): void => {
      over = true;
      clearTimeout(patience);
      resolve();
    };
    const patience = setTimeout(done, FLUSH_MS);
    const flush = (): void => {
      if (over) return;
      if (state.waiting <= 0) {
        done();
        return;
      }
      try {
        stream.flush((error) => (error instanceof Error && state.inTrouble ? done() : flush()));
      } catch {
        // The file could not be opened again after a rotation: there is nowhere to write to.
        done();
      }
    };
    flush();
  });
}

/** Never while writes fail: the stream would try again, asleep, until they succeed, and hold up everything. */
/** The stream has a timer for this, which takes the process along when the file was gone before it could be opened. */
function flushSoon(stream: ReturnType<typeof destination>): void {
  try {
    stream.flush();
  } catch {
    // ERR_OUT_OF_RANGE: it has no file. Or it was destroyed.
  }
}

function flushQuietly(stream: ReturnType<typeof destination>, { inTrouble }: SinkState): void {
  if (inTrouble) return;
  try {
    stream.flushSync();
  } catch {
    // The sink was never ready: there is nowhere to write to.
  }
}

/** The gateway's own log: starts, reloads, health changes, refusals, bugs. */
export function createLog(sink: LogSink, level: LogLevel, base: { readonly worker: number } | null = null): Logger {
  return pino({ level, base, timestamp: pino.stdTimeFunctions.isoTime }, sink);
}

export type { Logger, LogLevel };
