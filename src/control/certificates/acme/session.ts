import type { Clock } from '../../../clock.ts';
import type { HeaderList } from '../../../http/headers.ts';
import { getHeader } from '../../../http/headers.ts';
import type { HttpClient } from '../../http-client.ts';
import type { AccountKey } from './account-key.ts';
import { type Signer, signedRequest } from './jws.ts';
import { AcmeError, problemError, retryAfterMs } from './problem.ts';
import { type Directory, directoryOf } from './resource.ts';

const TIMEOUT_MS = 30_000;
/** A chain of certificates has a few kilobytes, an order of a hundred names some tens. */
const LIMIT_BYTES = 256 * 1024;
/** Authorities may take any nonce for bad (RFC 8555 §6.5); one that takes all of them is broken. */
const NONCE_ATTEMPTS = 10;

export interface SessionParts {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly directoryUrl: string;
  /** PEM of the authorities that may vouch for the server, `null` for the public ones. */
  readonly ca: string | null;
  readonly key: AccountKey;
  readonly signal: AbortSignal;
}

export interface AcmeAnswer {
  readonly status: number;
  /** `Location`, or `null`. */
  readonly location: string | null;
  /** How long to wait before asking again, or `null` when the authority did not say. */
  readonly retryAfterMs: number | null;
  readonly text: string;
}

/**
 * Signed requests to one authority, one after the other (RFC 8555 §6): knows its directory, keeps its last nonce, tries again
 * with a new one when it refuses that. Everything else that is not a success is thrown: as an `AcmeError` with the authority's own
 * words, or the transport's `GatewayError`.
 */
export class AcmeSession {
  /** Signs for the account of this URL; before there is one (`null`), with the key alone. */
  accountUrl: string | null = null;
  readonly #parts: SessionParts;
  #directory: Directory | null = null;
  #nonce: string | null = null;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  get key(): AccountKey {
    return this.#parts.key;
  }

  async directory(): Promise<Directory> {
    if (this.#directory !== null) return this.#directory;
    const { status, text } = await this.#send('GET', this.#parts.directoryUrl, null);
    if (status !== 200) throw new AcmeError(`http-${status}`, `${this.#parts.directoryUrl} answered ${status}`);
    this.#directory = directoryOf(jsonOf(text));
    return this.#directory;
  }

  /** POSTs `payload`; `null` reads what is at `url` (POST-as-GET, RFC 8555 §6.3). Resolves with a 2xx answer. */
  async post(url: string, payload: unknown): Promise<AcmeAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      const { signal, key } = this.#parts;
      const nonce = await this.#takeNonce();
      const signer: Signer = this.accountUrl === null ? { jwk: key.jwk } : { kid: this.accountUrl };
      const answer = await this.#send('POST', url, signedRequest(key, { url, nonce, signer }, payload));
      signal.throwIfAborted();
      if (answer.status >= 200 && answer.status < 300) return answer;
      const error = problemError(parsed(answer.text), answer.status, answer.retryAfterMs);
      if (error.reason !== 'bad-nonce' || attempt === NONCE_ATTEMPTS) throw error;
    }
  }

  async #takeNonce(): Promise<string> {
    if (this.#nonce === null) await this.#send('HEAD', (await this.directory()).newNonce, null);
    const nonce = this.#nonce;
    this.#nonce = null;
    if (nonce === null) throw new AcmeError('malformed-answer', 'The authority gave no nonce');
    return nonce;
  }

  async #send(method: string, url: string, body: object | null): Promise<AcmeAnswer> {
    const { http, clock, ca, signal } = this.#parts;
    signal.throwIfAborted();
    const answer = await http({
      method,
      url,
      headers: body === null ? [] : ['Content-Type', 'application/jose+json'],
      body: body === null ? null : Buffer.from(JSON.stringify(body)),
      ca,
      timeoutMs: TIMEOUT_MS,
      limitBytes: LIMIT_BYTES,
    });
    this.#keepNonce(answer.headers);
    return {
      status: answer.status,
      location: getHeader(answer.headers, 'location'),
      retryAfterMs: retryAfterMs(answer.headers, clock.now()),
      text: Buffer.from(answer.body).toString('utf8'),
    };
  }

  /** RFC 8555 §6.5.1: base64url, and anything else is no nonce. */
  #keepNonce(headers: HeaderList): void {
    const nonce = getHeader(headers, 'replay-nonce');
    if (nonce !== null && /^[A-Za-z0-9_-]{1,512}$/.test(nonce)) this.#nonce = nonce;
  }
}

/** The JSON that an answer carries; throws an `AcmeError` when it carries none. */
export function jsonOf(text: string): unknown {
  const json = parsed(text);
  if (json === null) throw new AcmeError('malformed-answer', "The authority's answer is no JSON");
  return json;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // SyntaxError: an HTML page of something in between.
    return null;
  }
}
