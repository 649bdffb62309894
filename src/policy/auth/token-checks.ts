import type { PolicyState } from '../policy-state.ts';
import type { ReadToken } from './jwt-form.ts';
import { candidates, type KeySet, type KeySource, type TokenKey } from './token-keys.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/** Signatures that are being looked at, or wait for a key. One more is refused. */
const MAX_CHECKS = 2_000;

/** Whose key it was signed with, or why nobody can be said to have. */
export type Checked =
  | { readonly kind: 'signed'; readonly keys: KeySet }
  | { readonly kind: 'refused'; readonly why: 'token-key-unknown' | 'token-signature' }
  | { readonly kind: 'unavailable'; readonly why: 'jwks-unavailable' | 'token-checks-full' };

type Done = (checked: Checked) => void;

/**
 * Signatures of tokens, and which of them were sound; kept over reloads. The same token that comes several times at once is looked at once.
 * At most 2 000 at a time.
 */
export class TokenChecks implements PolicyState {
  readonly id: string;
  readonly verified = new VerifiedTokens();
  readonly #running = new Map<string, Check>();

  constructor(id: string) {
    this.id = id;
  }

  /** `done` is called once, later, but not after what is returned was called. */
  check(digest: string, token: ReadToken, parts: { readonly source: KeySource; readonly done: Done }): () => void {
    const { source, done } = parts;
    const check = this.#running.get(digest) ?? this.#begin(digest, token, source);
    if (check === null) {
      done({ kind: 'unavailable', why: 'token-checks-full' });
      return () => {};
    }
    return check.join(done);
  }

  status(): Readonly<Record<string, number>> {
    return { verifiedTokens: this.verified.size, checks: this.#running.size };
  }

  #begin(digest: string, token: ReadToken, source: KeySource): Check | null {
    if (this.#running.size >= MAX_CHECKS) return null;
    const check = new Check(token, source, () => this.#running.delete(digest));
    this.#running.set(digest, check);
    // Who began it has joined by then.
    queueMicrotask(() => check.begin());
    return check;
  }
}

/** One token, and who waits for the outcome. */
class Check {
  readonly #token: ReadToken;
  readonly #source: KeySource;
  readonly #over: () => void;
  readonly #waiting = new Set<Done>();
  #letGo: (() => void) | null = null;
  #isOver = false;

  constructor(token: ReadToken, source: KeySource, over: () => void) {
    this.#token = token;
    this.#source = source;
    this.#over = over;
  }

  join(done: Done): () => void {
    // The same function may wait twice.
    const waiting: Done = (checked) => done(checked);
    this.#waiting.add(waiting);
    return () => {
      this.#waiting.delete(waiting);
      if (this.#waiting.size === 0) this.#end();
    };
  }

  begin(): void {
    if (this.#isOver) return;
    const { current } = this.#source;
    if (current === null) this.#seek(null, () => this.#begun());
    else void this.#tryAll(current, true);
  }

  #begun(): void {
    const { current } = this.#source;
    if (current === null) this.#say({ kind: 'unavailable', why: 'jwks-unavailable' });
    else void this.#tryAll(current, true);
  }

  async #tryAll(keys: KeySet, maySeek: boolean): Promise<void> {
    const { header, text } = this.#token;
    const fit = candidates(keys, header.kid, header.alg);
    const signer = await signerOf(fit, text, header.alg);
    if (this.#isOver) return;
    if (signer !== null) {
      this.#say({ kind: 'signed', keys });
      return;
    }
    // A key of that name which did not sign it is an answer. Keys without names are not: there may be another one by now.
    const isAnswer = header.kid !== null && fit.some(({ kid }) => kid === header.kid);
    if (maySeek && !isAnswer && this.#source.seek !== null) this.#seek(header.kid, () => this.#again(keys));
    else this.#say({ kind: 'refused', why: fit.length === 0 ? 'token-key-unknown' : 'token-signature' });
  }

  #again(before: KeySet): void {
    const { current } = this.#source;
    if (current === null) this.#say({ kind: 'unavailable', why: 'jwks-unavailable' });
    else if (current !== before) void this.#tryAll(current, false);
    else this.#refuseBy(current);
  }

  #refuseBy(keys: KeySet): void {
    const { kid, alg } = this.#token.header;
    const isKnown = candidates(keys, kid, alg).length > 0;
    this.#say({ kind: 'refused', why: isKnown ? 'token-signature' : 'token-key-unknown' });
  }

  #seek(kid: string | null, go: () => void): void {
    const { seek } = this.#source;
    if (seek === null) {
      this.#say({ kind: 'unavailable', why: 'jwks-unavailable' });
      return;
    }
    let isDone = false;
    const letGo = seek(kid, (sought) => {
      isDone = true;
      this.#letGo = null;
      if (this.#isOver) return;
      if (sought === 'unavailable') this.#say({ kind: 'unavailable', why: 'jwks-unavailable' });
      else go();
    });
    if (!isDone) this.#letGo = letGo;
  }

  #say(checked: Checked): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#end();
    for (const done of waiting) done(checked);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over();
    this.#letGo?.();
    this.#letGo = null;
  }
}

async function signerOf(keys: readonly TokenKey[], text: string, algorithm: string): Promise<TokenKey | null> {
  for (const key of keys) if (await key.verify(text, algorithm)) return key;
  return null;
}
