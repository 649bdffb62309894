import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { PATIENCE_MS, within } from './patience.ts';

/** What became of the streams of a load over HTTP/2. */
export interface StreamTally {
  answered: number;
  /** Streams that the gateway said it had not begun (RFC 9113 §8.7): to be sent again elsewhere, not a failure. */
  refused: number;
  readonly failures: string[];
}

/** Sessions over which GETs follow one another on a number of streams at once, until GOAWAY. */
export class StreamLoad {
  readonly tally: StreamTally = { answered: 0, refused: 0, failures: [] };
  readonly #workers: Promise<void>[] = [];
  readonly #milestones: { readonly at: number; readonly resolve: () => void }[] = [];

  constructor(port: number, ca: string, { sessions, streams }: { sessions: number; streams: number }) {
    for (let i = 0; i < sessions; i += 1) {
      const session = connect(`https://localhost:${port}`, { ca });
      session.on('error', (error) => this.tally.failures.push(`session: ${error.message}`));
      const farewell = { said: false };
      session.on('goaway', (code) => {
        farewell.said = true;
        if (code !== constants.NGHTTP2_NO_ERROR) this.tally.failures.push(`GOAWAY with ${code}`);
      });
      for (let j = 0; j < streams; j += 1) this.#workers.push(this.#work(session, farewell));
      this.#workers.push(closeOf(session));
    }
  }

  reaches(answers: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#milestones.push({ at: answers, resolve });
    return within(promise, `${answers} answers`);
  }

  /** Resolves when every session has closed. */
  async over(): Promise<StreamTally> {
    await within(Promise.all(this.#workers), 'the load to end', 2 * PATIENCE_MS);
    return this.tally;
  }

  async #work(session: ClientHttp2Session, farewell: { readonly said: boolean }): Promise<void> {
    while (!session.closed && !session.destroyed && this.tally.failures.length < 100) {
      const outcome = await outcomeOf(session.request({ ':path': '/load' }));
      if (outcome === 'answered') {
        this.tally.answered += 1;
        for (const { at, resolve } of this.#milestones) if (this.tally.answered === at) resolve();
      } else if (outcome === 'refused' && farewell.said) this.tally.refused += 1;
      else this.tally.failures.push(outcome);
    }
  }
}

function closeOf(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => session.on('close', () => resolve()));
}

function outcomeOf(stream: ClientHttp2Stream): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let status = 0;
  let expected = 0;
  let received = 0;
  stream.on('response', (headers) => {
    status = headers[':status'] ?? 0;
    expected = Number(headers['content-length']);
  });
  stream.on('data', (chunk: Uint8Array) => {
    received += chunk.length;
  });
  // What follows an error is `close`.
  stream.on('error', () => {});
  stream.on('close', () => {
    if (status === 200 && received === expected) resolve('answered');
    else if (status === 0 && isRefusal(stream.rstCode)) resolve('refused');
    else resolve(`stream ${stream.id}: status ${status}, ${received} of ${expected} bytes, reset by ${stream.rstCode}`);
  });
  return promise;
}

/** REFUSED_STREAM from the gateway, or CANCEL by Node's own client for streams above GOAWAY's last one. */
function isRefusal(code: number | undefined): boolean {
  return code === constants.NGHTTP2_REFUSED_STREAM || code === constants.NGHTTP2_CANCEL;
}
