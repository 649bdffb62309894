import { explicit, implicit, integer, sequence, time } from './der-writer.ts';
import type { Issuer } from './issuer.ts';
import { algorithmOf, extension, signedWith } from './signed-structure.ts';

const DAY_MS = 86_400_000;
const LIFE_MS = 7 * DAY_MS;
/** Clients keep a list until its end: who fetches one shall have at least half of its life before him. */
const RENEW_AFTER_MS = LIFE_MS / 2;
/** Clocks of containers run late: a list from "now" would be one from the future for them. */
const BACKDATE_MS = DAY_MS;

const CRL_NUMBER = '2.5.29.20';
const DISTRIBUTION_POINTS = '2.5.29.31';
const AUTHORITY_KEY_ID = '2.5.29.35';

/**
 * The revocation list of an authority that never revokes: empty, and current whenever it is asked for. Clients that insist on one (those
 * of Windows) refuse certificates without. The last one is kept in memory, less than 1 KB, and made anew when half of its seven days are over.
 */
export class OwnRevocationList {
  #last: { readonly issuer: Issuer; readonly madeAtMs: number; readonly der: Buffer } | null = null;

  /** DER. A list of `issuer` that is current at `nowMs` and for 3.5 days from then. */
  of(issuer: Issuer, nowMs: number): Buffer {
    const last = this.#last;
    const ageMs = last === null ? 0 : nowMs - last.madeAtMs;
    // Less than nothing: the clock was set back, and the list would be one from the future.
    if (last?.issuer === issuer && ageMs >= 0 && ageMs < RENEW_AFTER_MS) return last.der;
    const der = emptyList(issuer, nowMs);
    this.#last = { issuer, madeAtMs: nowMs, der };
    return der;
  }
}

/** An empty list, version 2 (RFC 5280 §5). Its number is its time, in milliseconds: it grows over restarts too (§5.2.3). */
function emptyList(issuer: Issuer, nowMs: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(Math.trunc(nowMs)));
  const fields = sequence(
    integer(Buffer.from([1])),
    algorithmOf(issuer.key),
    issuer.subject,
    time(nowMs - BACKDATE_MS),
    time(nowMs + LIFE_MS),
    explicit(
      0,
      sequence(
        ...(issuer.keyId === null ? [] : [extension(AUTHORITY_KEY_ID, sequence(implicit(0, issuer.keyId)))]),
        extension(CRL_NUMBER, integer(number)),
      ),
    ),
  );
  return signedWith(issuer.key, fields);
}

/** The extension by which a certificate says where the list of its issuer is (RFC 5280 §4.2.1.13). DER; `url` in ASCII. */
export function distributionPoint(url: string): Buffer {
  const fullName = explicit(0, implicit(6, Buffer.from(url, 'latin1')));
  return extension(DISTRIBUTION_POINTS, sequence(sequence(explicit(0, fullName))));
}
