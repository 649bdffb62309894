import { randomBytes } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { TicketKey, TicketKeys } from '../../exchange/tls-policy.ts';

/** What OpenSSL is told of a ticket: unusable, or opened; `RENEW` also replaces it by one of the newest key. */
const NOTHING = 0;
const OK = 1;
const RENEW = 2;

type Answer = readonly [verdict: number, hmac: Uint8Array, aes: Uint8Array, name: Uint8Array, iv: Uint8Array];

/** Node's own object under a `SecureContext`. Node's test suite uses this hook, its documentation does not have it. */
interface NativeContext {
  onticketkeycallback?: (name: Uint8Array, iv: Uint8Array, sealing: boolean) => Answer;
  enableTicketKeyCallback?(): void;
}

/**
 * Seals and opens the session tickets of `context` with `keys`, whichever they are at that moment: the newest key seals,
 * older ones still open, and a ticket of an older key is replaced by a new one. What Node documents, `setTicketKeys`, knows
 * one key and forgets the one before: every rotation would cost every client a full handshake.
 * A Node without the hook seals with a key of its own per context: sessions are resumed there too, but by nobody else.
 */
export function useTicketKeys(context: SecureContext, keys: TicketKeys): void {
  const native = context.context as NativeContext;
  if (typeof native.enableTicketKeyCallback !== 'function') return;
  // Never throws and always answers five values: Node ends the process over anything else, whatever the verdict is.
  const answer: NonNullable<NativeContext['onticketkeycallback']> = (name, iv, sealing) =>
    sealing ? seal(keys.current()) : open(keys.current(), name, iv);
  native.onticketkeycallback = answer;
  native.enableTicketKeyCallback();
}

function seal(keys: readonly TicketKey[]): Answer {
  const { hmac, aes, name } = keys[0] as TicketKey;
  return [OK, hmac, aes, name, randomBytes(16)];
}

function open(keys: readonly TicketKey[], name: Uint8Array, iv: Uint8Array): Answer {
  const index = keys.findIndex((key) => Buffer.compare(key.name, name) === 0);
  const { hmac, aes } = keys[Math.max(0, index)] as TicketKey;
  if (index === -1) return [NOTHING, hmac, aes, name, iv];
  return [index === 0 ? OK : RENEW, hmac, aes, name, iv];
}
