import type { GatewayError } from '../../src/errors.ts';
import type { Attempt, AttemptReceiver, InFlight, Transport } from '../../src/exchange/attempt.ts';
import type { ResponseHead } from '../../src/exchange/response-sink.ts';

/** An attempt whose endpoint does what the test says, and nothing by itself. */
export class ScriptedAttempt implements InFlight {
  readonly attempt: Attempt;
  readonly #into: AttemptReceiver;
  state: 'asked' | 'answering' | 'over' | 'cancelled' = 'asked';
  /** False from when the receiver had enough until it asks for more. */
  flowing = true;

  constructor(attempt: Attempt, into: AttemptReceiver) {
    this.attempt = attempt;
    this.#into = into;
    into.onDrain = () => {
      this.flowing = true;
    };
  }

  /** Nothing may be reported any more. */
  get isOver(): boolean {
    return this.state === 'over' || this.state === 'cancelled';
  }

  head(head: ResponseHead): void {
    this.state = 'answering';
    this.#into.head(head, false);
  }

  data(chunk: Uint8Array): void {
    if (!this.#into.data(chunk)) this.flowing = false;
  }

  end(): void {
    this.state = 'over';
    this.#into.end(null);
  }

  fail(error: GatewayError): void {
    this.state = 'over';
    this.#into.fail(error);
  }

  cancel(): void {
    if (this.state !== 'over') this.state = 'cancelled';
  }
}

/** A transport of attempts under the test's hand, in the order they were made. */
export class ScriptedTransport implements Transport {
  readonly attempts: ScriptedAttempt[] = [];
  /** Called for each, before anything is reported of it. */
  onSend: ((attempt: ScriptedAttempt) => void) | null = null;

  send(attempt: Attempt, into: AttemptReceiver): InFlight {
    const scripted = new ScriptedAttempt(attempt, into);
    this.attempts.push(scripted);
    this.onSend?.(scripted);
    into.sent(false);
    return scripted;
  }

  retain(): void {}

  connections(): { readonly open: number; readonly busy: number; readonly queued: number } {
    return { open: 0, busy: 0, queued: 0 };
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }
}
