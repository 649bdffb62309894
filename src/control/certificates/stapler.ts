import type { Clock, TimerHandle } from '../../clock.ts';
import { GatewayError } from '../../errors.ts';
import type { HttpClient } from '../http-client.ts';
import type { LoadedCertificate } from './certificate-file.ts';
import type { CertificateLog } from './certificate-log.ts';
import type { Staples } from './file-certificates.ts';
import { mustStaple, type OcspSubject, ocspRequest, ocspSubjectOf } from './ocsp-request.ts';
import { judgeResponse } from './ocsp-response.ts';

const TIMEOUT_MS = 10_000;
/** Responses have 500 bytes to 3 KiB; more with a responder's chain. */
const LIMIT_BYTES = 64 * 1024;
/** Requests at a time, whoever they go to. */
const AT_ONCE = 4;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;
/** However long a response is valid, somebody may want to know of a revocation; and longer timers do not exist. */
const LONGEST_REFRESH_MS = 4 * 86_400_000;

export interface StaplerOptions {
  readonly ask: HttpClient;
  readonly clock: Clock;
  /** 0 to 1, exclusive. */
  readonly random: () => number;
  readonly log: CertificateLog;
}

/** What is held for one certificate. */
interface Held {
  readonly subject: OcspSubject;
  readonly names: readonly string[];
  readonly owners: Set<object>;
  response: Uint8Array | null;
  untilMs: number;
  timer: TimerHandle | null;
  failures: number;
  /** What was said last in the log. */
  said: string;
}

/**
 * OCSP responses to staple (RFC 6066 §8), fetched beforehand: no handshake ever waits for one. A response is verified before it is
 * shown, replaced after half of its life, and shown until its end while the responder can't be reached. Holds one for each
 * certificate in use.
 */
export class Stapler implements Staples {
  readonly #options: StaplerOptions;
  /** By fingerprint: a certificate keeps its response when its files are read again. */
  readonly #held = new Map<string, Held>();
  readonly #waiting: Held[] = [];
  #asking = 0;

  constructor(options: StaplerOptions) {
    this.#options = options;
  }

  keep(owner: object, certificates: readonly LoadedCertificate[]): void {
    const kept = new Set(certificates.map(({ leaf }) => leaf.fingerprint256));
    for (const certificate of certificates) this.#adopt(owner, certificate);
    for (const [fingerprint, held] of this.#held) {
      if (kept.has(fingerprint)) continue;
      held.owners.delete(owner);
      if (held.owners.size > 0) continue;
      this.#held.delete(fingerprint);
      if (held.timer !== null) this.#options.clock.cancel(held.timer);
    }
  }

  stapleFor({ leaf }: LoadedCertificate): Uint8Array | null {
    const held = this.#held.get(leaf.fingerprint256);
    return held === undefined || held.untilMs <= this.#options.clock.now() ? null : held.response;
  }

  canStaple({ leaf }: LoadedCertificate): boolean {
    return this.#held.has(leaf.fingerprint256);
  }

  #adopt(owner: object, certificate: LoadedCertificate): void {
    const { leaf, names } = certificate;
    const known = this.#held.get(leaf.fingerprint256);
    if (known !== undefined) {
      known.owners.add(owner);
      return;
    }
    const subject = ocspSubjectOf(certificate);
    if (typeof subject === 'string') {
      this.#saidNothingToAsk(certificate, subject);
      return;
    }
    const held: Held = {
      subject,
      names: names.slice(0, 5),
      owners: new Set([owner]),
      response: null,
      untilMs: 0,
      timer: null,
      failures: 0,
      said: '',
    };
    this.#held.set(leaf.fingerprint256, held);
    this.#enqueue(held);
  }

  #saidNothingToAsk({ leaf, names }: LoadedCertificate, why: 'no-responder' | 'no-issuer'): void {
    const must = mustStaple(leaf);
    if (why === 'no-responder' && !must) return; // as with most certificates today
    const fields = { names: names.slice(0, 5), reason: `ocsp-${why}`, mustStaple: must };
    this.#options.log.warn(fields, 'No OCSP response can be fetched for a certificate');
  }

  #enqueue(held: Held): void {
    held.timer = null;
    this.#waiting.push(held);
    this.#next();
  }

  #next(): void {
    while (this.#asking < AT_ONCE) {
      const held = this.#waiting.shift();
      if (held === undefined) return;
      if (held.owners.size === 0) continue;
      this.#asking += 1;
      void this.#fetch(held).finally(() => {
        this.#asking -= 1;
        this.#next();
      });
    }
  }

  /** Never rejects. */
  async #fetch(held: Held): Promise<void> {
    let why: string;
    try {
      const { status, body } = await this.#options.ask({
        method: 'POST',
        url: held.subject.responder,
        headers: ['Content-Type', 'application/ocsp-request'],
        body: ocspRequest(held.subject),
        ca: null,
        timeoutMs: TIMEOUT_MS,
        limitBytes: LIMIT_BYTES,
      });
      why = status === 200 ? this.#judge(held, body) : `status-${status}`;
    } catch (error) {
      why = error instanceof GatewayError ? error.reason : String(error);
    }
    if (held.owners.size === 0) return;
    if (why === '') this.#succeeded(held);
    else this.#failed(held, why);
  }

  /** Empty when the response is taken. */
  #judge(held: Held, body: Uint8Array): string {
    const verdict = judgeResponse(body, held.subject, this.#options.clock.now());
    if (verdict.ok) {
      held.response = body;
      held.untilMs = verdict.untilMs;
      return '';
    }
    // The one before still says "good", but that is no longer true.
    if (verdict.why === 'revoked') held.response = null;
    return verdict.why;
  }

  #succeeded(held: Held): void {
    const { clock, log } = this.#options;
    if (held.said !== '') log.info({ ...fieldsOf(held), reason: 'ocsp-stapled' }, 'OCSP responses are stapled again');
    held.failures = 0;
    held.said = '';
    const delayMs = Math.min(LONGEST_REFRESH_MS, (held.untilMs - clock.now()) / 2);
    this.#later(held, Math.max(FIRST_RETRY_MS, delayMs));
  }

  #failed(held: Held, why: string): void {
    held.failures += 1;
    this.#later(held, Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (held.failures - 1)));
    // Once, not at each attempt; and once more when there is nothing left to show.
    const stapled = held.response !== null && held.untilMs > this.#options.clock.now();
    const saying = `${why} ${stapled}`;
    if (saying === held.said) return;
    held.said = saying;
    const fields = { ...fieldsOf(held), reason: 'ocsp-failed', why, stapled };
    const { log } = this.#options;
    if (why === 'revoked') log.error(fields, 'A certificate is revoked');
    else if (held.subject.mustStaple && !stapled)
      log.error(fields, 'Clients will refuse a certificate: it must be stapled');
    else log.warn(fields, 'No OCSP response for a certificate');
  }

  /** Jittered by ±10 %, so that gateways that were started together do not ask together for ever. */
  #later(held: Held, delayMs: number): void {
    const jittered = delayMs * (0.9 + 0.2 * this.#options.random());
    held.timer = this.#options.clock.after(jittered, () => this.#enqueue(held));
  }
}

function fieldsOf({ names, subject }: Held): { names: readonly string[]; responder: string; mustStaple: boolean } {
  return { names, responder: subject.responder, mustStaple: subject.mustStaple };
}
