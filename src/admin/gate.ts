import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { type GuardOptions, refusedHost, tokenRequired, verdictOn } from './guard.ts';
import { clientOf } from './hand.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import { RequestRate } from './request-rate.ts';
import type { Found } from './router.ts';
import { isToken } from './token.ts';
import { WrongTokens } from './wrong-tokens.ts';

export interface GateOptions extends Omit<GuardOptions, 'token'> {
  /** The one that counts now; `null` for none. Must not reject. */
  readonly token: () => Promise<string | null>;
  /** Of one client address; twice as many may come at once. */
  readonly requestsPerSecond: number;
  readonly clock: Clock;
  /** Hears of each wrong token, and how many different ones they were. Must not throw. */
  readonly wrongToken: (guess: { readonly address: string; readonly guesses: number }) => void;
}

/** Why a request has no answer but this, before its body is read; `null` for one that goes on. */
export type Gate = (request: FastifyRequest, found: Found) => Promise<Refusal | null>;

/** Whoever asks whether a gateway lives must not be told that it asks too often. */
const UNCOUNTED = new Set(['liveness', 'readiness']);

/** Host, rate, place, origin, token, in this order. Keeps what it must know of clients, bounded. */
export function gate(options: GateOptions): Gate {
  const rate = new RequestRate(options.requestsPerSecond, options.clock);
  const wrong = new WrongTokens(options.clock);
  return async (request, found) => {
    const address = clientOf(request) ?? '';
    const guarded = { headers: request.headers, hosts: hostsOf(request) };
    const refusal = refusedHost(guarded, options);
    if (refusal !== null) return refusal;
    if (found.kind !== 'operation' || !UNCOUNTED.has(found.operation.id)) {
      const wait = rate.take(address);
      if (wait > 0) return tooMany('too-many-requests', 'You ask too often', wait);
    }
    if (found.kind !== 'operation') return refusedPlace(found);
    const token = await options.token();
    const verdict = verdictOn(guarded, found.operation.access, { ...options, token });
    if (verdict === 'free') return null;
    if (isRefusal(verdict)) return verdict;
    const patience = wrong.waitOf(address);
    if (patience > 0) return tooMany('too-many-wrong-tokens', 'There were too many wrong tokens from there', patience);
    if (isToken(verdict.brought, verdict.token)) {
      wrong.right(address);
      return null;
    }
    options.wrongToken({ address, guesses: wrong.wrong(address, verdict.brought) });
    return tokenRequired(request.headers.authorization);
  };
}

function tooMany(error: string, why: string, seconds: number): Refusal {
  const message = `${why}: come again in ${seconds} s`;
  return { status: 429, error, message, headers: { 'retry-after': String(seconds) } };
}

function refusedPlace(found: Exclude<Found, { kind: 'operation' }>): Refusal {
  if (found.kind === 'nothing') return { status: 404, error: 'not-found', message: 'Nothing is here' };
  if (found.kind === 'bad-path') return { status: 400, error: 'bad-request', message: 'The path can not be decoded' };
  const allow = found.allow.join(', ');
  return { status: 405, error: 'method-not-allowed', message: `Here is ${allow} only`, headers: { allow } };
}

/** Node keeps the first of them only. */
function hostsOf({ raw: { rawHeaders } }: FastifyRequest): number {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === 'host') hosts += 1;
  return hosts;
}
