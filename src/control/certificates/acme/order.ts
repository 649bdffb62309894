import type { Clock } from '../../../clock.ts';
import type { KeyPair } from '../../../exchange/certificate.ts';
import { pause } from './pause.ts';
import { AcmeError, problemError } from './problem.ts';
import { type Authorization, authorizationOf, type Challenge, locationOf, type Order, orderOf } from './resource.ts';
import { type AcmeAnswer, type AcmeSession, jsonOf } from './session.ts';
import { chainOf, isFor } from './store.ts';

export type ChallengeKind = 'http-01' | 'tls-alpn-01';

/** Puts the proof of control over `name` where the authority looks for it; what comes back takes it away again. */
export type Prove = (name: string, token: string, keyAuthorization: string) => Promise<() => void> | (() => void);

export interface OrderParts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly challenge: ChallengeKind;
  readonly prove: Prove;
}

/** From the first request of an order to its certificate. Public authorities validate within seconds. */
const ORDER_TIMEOUT_MS = 10 * 60_000;
const FIRST_POLL_MS = 500;
const LAST_POLL_MS = 10_000;

/**
 * One order (RFC 8555 §7.4): asks for a certificate of `names`, proves control over each, and fetches it. Rejects with an `AcmeError`
 * or the transport's error; whatever happens, no proof is left standing.
 */
export async function orderCertificate(
  session: AcmeSession,
  names: readonly string[],
  parts: OrderParts,
): Promise<KeyPair> {
  const patience = new Patience(parts);
  const { newOrder } = await session.directory();
  const identifiers = names.map((value) => ({ type: 'dns', value }));
  const created = await session.post(newOrder, { identifiers });
  const orderUrl = locationOf(created.location, newOrder);
  const order = orderOf(jsonOf(created.text));
  await new Validation(session, parts, patience).run(order.authorizations);
  return finalize(session, { names, orderUrl, patience });
}

interface Finalizing {
  readonly names: readonly string[];
  readonly orderUrl: string;
  readonly patience: Patience;
}

async function finalize(session: AcmeSession, { names, orderUrl, patience }: Finalizing): Promise<KeyPair> {
  const read = async () => readOrder(await session.post(orderUrl, null));
  const ready = await patience.until(read, ({ status }) => status !== 'pending');
  // Imported only when something is ordered: the ASN.1 packages take 60 ms that a start need not spend.
  const { signingRequest } = await import('./request.ts');
  const { csr, key } = await signingRequest(names);
  await session.post(ready.finalize, { csr });
  const done = await patience.until(read, ({ status }) => status === 'valid');
  if (done.certificate === null) throw new AcmeError('malformed-answer', 'The order is valid without a certificate');
  const { text } = await session.post(done.certificate, null);
  const certificate = chainOf(text);
  if (certificate === null) throw new AcmeError('malformed-answer', 'The certificate is no chain of PEM certificates');
  const pair = { certificate, key };
  if (!isFor(pair, names))
    throw new AcmeError('wrong-certificate', 'The certificate is not the one that was asked for');
  return pair;
}

function readOrder(answer: AcmeAnswer): Polled<Order> {
  const order = orderOf(jsonOf(answer.text));
  if (order.status === 'invalid') throw rejected(order.error, 'order-invalid', 'The authority refuses the order');
  return { value: order, retryAfterMs: answer.retryAfterMs };
}

/** The proofs of one order. */
class Validation {
  readonly #session: AcmeSession;
  readonly #parts: OrderParts;
  readonly #patience: Patience;
  readonly #withdrawals: (() => void)[] = [];

  constructor(session: AcmeSession, parts: OrderParts, patience: Patience) {
    this.#session = session;
    this.#parts = parts;
    this.#patience = patience;
  }

  /** All proofs stand before the first is announced: authorities look from several places, and at their own pace. */
  async run(urls: readonly string[]): Promise<void> {
    try {
      const pending: { readonly url: string; readonly challenge: Challenge }[] = [];
      for (const url of urls) {
        const { value } = this.#read(await this.#session.post(url, null));
        if (value.status !== 'valid') pending.push({ url, challenge: await this.#prove(value) });
      }
      for (const { challenge } of pending) {
        if (challenge.status === 'pending') await this.#session.post(challenge.url, {});
      }
      for (const { url } of pending) {
        const read = async () => this.#read(await this.#session.post(url, null));
        await this.#patience.until(read, ({ status }) => status === 'valid');
      }
    } finally {
      for (const withdraw of this.#withdrawals) withdraw();
    }
  }

  async #prove({ name, challenges }: Authorization): Promise<Challenge> {
    const kind = this.#parts.challenge;
    const challenge = challenges.find(({ type }) => type === kind);
    if (challenge === undefined) {
      throw new AcmeError('no-such-challenge', `${name}: the authority does not offer ${kind}`);
    }
    const { token } = challenge;
    this.#withdrawals.push(await this.#parts.prove(name, token, `${token}.${this.#session.key.thumbprint}`));
    return challenge;
  }

  #read(answer: AcmeAnswer): Polled<Authorization> {
    const authorization = authorizationOf(jsonOf(answer.text));
    const { status, name, challenges } = authorization;
    if (status === 'pending' || status === 'valid') return { value: authorization, retryAfterMs: answer.retryAfterMs };
    const failed = challenges.find((challenge) => challenge.error !== null);
    throw rejected(failed?.error, 'authorization-invalid', `The authority calls the authorization ${status}`, name);
  }
}

/** The failure that `problem` describes, if the authority gave one; `name` says of whom it is about. */
function rejected(problem: unknown, reason: string, otherwise: string, name: string | null = null): AcmeError {
  const told = problem === null || problem === undefined ? new AcmeError(reason, otherwise) : problemError(problem, 0);
  return name === null ? told : new AcmeError(told.reason, `${name}: ${told.message}`, told.retryAfterMs);
}

interface Polled<T> {
  readonly value: T;
  readonly retryAfterMs: number | null;
}

/** Polling that ends: within one deadline for the whole order. */
class Patience {
  readonly #parts: OrderParts;
  readonly #endsAt: number;

  constructor(parts: OrderParts) {
    this.#parts = parts;
    this.#endsAt = parts.clock.monotonic() + ORDER_TIMEOUT_MS;
  }

  /** Reads until `done`, as often as the authority asks for, else from 0.5 s to 10 s apart. */
  async until<T>(read: () => Promise<Polled<T>>, done: (value: T) => boolean): Promise<T> {
    const { clock, signal } = this.#parts;
    for (let delayMs = FIRST_POLL_MS; ; delayMs = Math.min(delayMs * 2, LAST_POLL_MS)) {
      const { value, retryAfterMs } = await read();
      if (done(value)) return value;
      const waitMs = Math.max(retryAfterMs ?? delayMs, FIRST_POLL_MS);
      if (clock.monotonic() + waitMs > this.#endsAt) {
        throw new AcmeError('order-timeout', 'The authority did not come to a decision in time');
      }
      await pause(clock, waitMs, signal);
    }
  }
}
